"""instructor: the change and the report as typed objects, which a forced tool (`tools`) or a schema (`json`) gives."""

import sys

import instructor
import openai
from pydantic import BaseModel, Field
from workspace import KEY, PROMPT, URL, read_file, replace_in_file, run_command


class Replacement(BaseModel):
    """What to replace in a file, by what."""

    old: str
    new: str


class Change(BaseModel):
    """A change of one file."""

    path: str
    replacements: list[Replacement] = Field(min_length=1)


class Report(BaseModel):
    """What a command printed."""

    says: str


mode = instructor.Mode.TOOLS if sys.argv[2] == "tools" else instructor.Mode.JSON_SCHEMA
client = instructor.from_openai(openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0), mode=mode)


def ask(kind: type[BaseModel], text: str) -> BaseModel:
    return client.chat.completions.create(
        model="auto", response_model=kind, messages=[{"role": "user", "content": text}], max_retries=0
    )


change = ask(Change, f"{PROMPT}\n\n{read_file('prices.py')}")
for one in change.replacements:
    replace_in_file(change.path, one.old, one.new)
print(ask(Report, f"{PROMPT}\n\nIt printed: {run_command('python3 check.py')}").says)
