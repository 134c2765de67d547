"""Weights of a draft head that has a file of its own: loaded beside those of the model, and refused if of another."""

from typing import Any

import msgspec

from gateway.engine.llama.bindings import C
from gateway.engine.llama.faults import LoadFault, load_problem
from gateway.engine.llama.parameters import ModelParameters
from gateway.engine.llama.vocabulary import Vocabulary, difference
from gateway.engine.settings import EngineSettings


class HeadWeights:
    """Weights of a draft head that has a file of its own."""

    def __init__(self, file: str, settings: EngineSettings, vocabulary: Vocabulary, model: Any) -> None:
        """Load them.

        Args:
            file: its path.
            settings: of the model that it drafts for; it lies where that does.
            vocabulary: of that model.
            model: llama.cpp's, that model.

        Raises:
            LoadFault: they can't be loaded, or belong to another model.
        """
        own = msgspec.structs.replace(settings, model=file)
        progress = C.llama_progress_callback(lambda part, _: True)
        self.handle = C.llama_model_load_from_file(file.encode(), ModelParameters(own, progress, head=True).handle)
        if not self.handle:
            raise LoadFault(f"The draft head: {load_problem(own)}", public="Its draft head can't be loaded.")
        known = Vocabulary(C.llama_model_get_vocab(self.handle))
        problem = difference(vocabulary, known)
        if known.size != vocabulary.size or C.llama_model_n_embd_out(self.handle) != C.llama_model_n_embd_out(model):
            problem = problem or "its rows are of another size"
        if problem:
            self.close()
            raise LoadFault(
                f"{file} is the draft head of another model than {settings.model}: {problem}.",
                public="Its draft head does not fit to it.",
            )

    def close(self) -> None:
        """Give the memory back, after that of the contexts."""
        C.llama_model_free(self.handle)
