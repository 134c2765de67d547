"""Hugging Face, by `huggingface_hub`: the one file that imports it, and only for `aduana models pull`.

The package's own downloads begin anew when a process ends (since 1.0 each process writes a file of its own name), so
its function for one HTTP transfer is used, which goes on at any byte. Files are named by their digest while they are
incomplete: what was begun of another version is never continued.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.models.reference import Reference, RemoteFile
from gateway.cli.models.words import say
from gateway.core.errors import AduanaError, BadRequest, Forbidden, Unavailable

_HTTP_LIMIT = 50 * 10**9  # bytes: the hub sends larger files by its own protocol (Xet) only, from the beginning


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub says of a repository."""

    name: str
    revision: str
    files: tuple[RemoteFile, ...]
    licence: str = ""
    licence_page: str = ""
    base: str = ""
    """The model that these files were made from."""


Progress = Callable[[int], None]  # hears how many more bytes are there


class Hub:
    """Hugging Face, or whatever HF_ENDPOINT names."""

    def __init__(self, token: str | None = None) -> None:
        """Take the token to show; None: the one that HF_TOKEN or `hf auth login` left, if any.

        Raises:
            Unavailable: the package is not installed.
        """
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_DISABLE_UPDATE_CHECK", "1")
        try:
            from huggingface_hub import HfApi
        except ImportError as error:
            what = say("Pulling models needs the package huggingface_hub. Run: aduana engine install")
            raise Unavailable(what) from error
        self._api = HfApi(token=token, library_name="aduana")
        self.address = str(self._api.endpoint)

    def repository(self, reference: Reference) -> Repository:
        """Return what is in a repository.

        Raises:
            BadRequest: there is none of that name.
            Forbidden: the hub does not let us in.
            Unavailable: the hub can't be asked.
        """
        try:
            info = self._api.model_info(
                reference.repository, revision=reference.revision, files_metadata=True, timeout=30
            )
        except Exception as error:
            raise self._told(error, reference.repository) from error  # whatever its HTTP client raises, too
        card: Any = info.card_data or {}
        base = card.get("base_model") or ""
        files = []
        for sibling in info.siblings or ():
            sha256 = str(sibling.lfs.sha256).lower() if sibling.lfs is not None else ""
            if sibling.rfilename.isprintable():
                good = re.fullmatch(r"[0-9a-f]{64}", sha256) is not None  # it becomes a file's name
                files.append(RemoteFile(path=sibling.rfilename, size=sibling.size or 0, sha256=sha256 if good else ""))
        return Repository(
            name=reference.repository,
            revision=_plain(info.sha or reference.revision),
            files=tuple(files),
            licence=_plain(card.get("license_name") or card.get("license") or _tagged(info.tags or ())),
            licence_page=_plain(card.get("license_link") or ""),
            base=_plain(base[0] if isinstance(base, list) and base else base),
        )

    def download(self, repository: Repository, file: RemoteFile, place: Path, progress: Progress) -> None:
        """Fetch a file, from where `place` ends on.

        Raises:
            BadRequest: the file is not there.
            Forbidden: the hub does not let us in.
            Unavailable: the hub can't be reached, broke off, or the disk is full.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get

        done = place.stat().st_size if place.exists() else 0
        if done > file.size:
            place.unlink()
            done = 0
        progress(done)
        if done == file.size:
            return
        if file.size > _HTTP_LIMIT and not done:
            self._large(repository, file, place, progress)
            return
        url = hf_hub_url(repository.name, file.path, revision=repository.revision, endpoint=self._api.endpoint)
        bar: Any = _bar_class(progress)
        try:
            with place.open("ab") as opened:
                http_get(
                    url,
                    opened,
                    resume_size=done,
                    headers={**self._api._build_hf_headers(), "Accept-Encoding": "identity"},
                    expected_size=file.size,
                    tqdm_class=bar,
                )
        except Exception as error:
            raise self._told(error, repository.name, file.path) from error

    def _large(self, repository: Repository, file: RemoteFile, place: Path, progress: Progress) -> None:
        bar: Any = _bar_class(progress)
        try:
            whole = self._api.hf_hub_download(
                repository.name, file.path, revision=repository.revision, local_dir=place.parent, tqdm_class=bar
            )
            Path(whole).replace(place)
            shutil.rmtree(place.parent / ".cache", ignore_errors=True)  # the package's notes about it
        except Exception as error:
            raise self._told(error, repository.name, file.path) from error

    def _told(self, error: Exception, repository: str, path: str = "") -> AduanaError:
        """Return what a person can do about a fault of the package, its HTTP client or the disk."""
        from huggingface_hub import errors

        where = {"address": self.address, "repository": repository, "file": path or repository}
        match error:
            case errors.GatedRepoError():
                return Forbidden(
                    say(
                        "{repository} is given only to people who have accepted its terms. Open "
                        "{address}/{repository}, accept them, make a token for reading at {address}/settings/tokens, "
                        "put it into a variable, and name that variable: --token-env HF_TOKEN",
                        **where,
                    )
                )
            case errors.RevisionNotFoundError():
                return BadRequest(
                    say("{repository} has no such revision. See {address}/{repository}/tree/main.", **where)
                )
            case errors.EntryNotFoundError():
                return BadRequest(say("{file} is not there any more, though {address} lists it. Try later.", **where))
            case errors.RepositoryNotFoundError():
                return BadRequest(
                    say(
                        "There is no model {repository} at {address}, or it is private. Check the spelling; for a "
                        "private one name the variable with your token: --token-env HF_TOKEN",
                        **where,
                    )
                )
            case errors.OfflineModeIsEnabled():
                return Unavailable(
                    say("HF_HUB_OFFLINE is set, so nothing is asked of the hub. Unset it to pull models.")
                )
            case errors.HFValidationError():
                return BadRequest(say("{repository} can't be the name of a repository. Write ORG/REPOSITORY.", **where))
            case errors.HfHubHTTPError() if error.response.status_code in (401, 403):
                return Forbidden(say("{address} does not give {file} to you. Check the token.", **where))
            case errors.HfHubHTTPError():
                status = error.response.status_code
                return Unavailable(say("{address} answered {status} for {file}. Try later.", status=status, **where))
            case AduanaError():
                return error
        kept = say("What was fetched so far is kept; the same command goes on from there.")
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            full = say("{file} can't be written: {why}.", file=where["file"], why=error.strerror)
            return Unavailable(f"{full} {kept}")
        broken = say("{address} can't be reached, or broke off, at {file}.", address=self.address, file=where["file"])
        return Unavailable(f"{broken} {kept}")


def _plain(text: Any) -> str:
    """Return a short text of the hub without what would steer a terminal."""
    return "".join(letter for letter in str(text)[:200] if letter.isprintable())


def _tagged(tags: Any) -> str:
    return next((str(tag).removeprefix("license:") for tag in tags if str(tag).startswith("license:")), "")


def _bar_class(progress: Progress) -> type:
    """Return a class that the package takes for a progress bar, and that tells `progress` what comes."""

    class Bar:
        def __init__(self, *args: Any, **options: Any) -> None:
            pass

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *about: object) -> None:
            pass

        def update(self, count: float = 1) -> None:
            progress(int(count))

        def close(self) -> None:
            pass

    return Bar
