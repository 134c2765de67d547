"""Grammar of an answer: what a request demands, in the format of the model."""

from collections.abc import Mapping

from gateway.core.document import thaw
from gateway.core.request import ResponseFormat
from gateway.engine.sampling.grammar import gbnf_grammar, json_grammar, lark_grammar, schema_of
from gateway.local.embedded.text.formats.answer_format import AnswerFormat
from gateway.local.embedded.text.formats.grammar import GrammarWriter
from gateway.local.embedded.text.offer import Offer


def plain_grammar(wanted: ResponseFormat) -> str:
    """Return the grammar of a text that is nothing but an answer in this form; empty: it is free.

    Raises:
        BadRequest: the grammar or schema can't be read or enforced.
    """
    if wanted.kind == "grammar":
        return gbnf_grammar(wanted.grammar)
    schema = schema_of(wanted.kind, thaw(wanted.schema))
    return "" if schema is None else json_grammar(schema)


def grammar_of(
    offer: Offer,
    wanted: ResponseFormat,
    form: AnswerFormat,
    controls: Mapping[str, int],
    prompt: str,
    *,
    thinking: bool,
) -> str:
    """Return the grammar that the answer must follow; empty: it is free.

    Args:
        offer: the tools, and whether one must be called.
        wanted: form of an answer that is no call.
        form: how the model marks thoughts, calls and text.
        controls: ids of the control tokens, by their text.
        prompt: the rendered conversation.
        thinking: it ends inside a thought.

    Raises:
        BadRequest: a schema can't be enforced.
    """
    if wanted.kind == "grammar":
        return plain_grammar(wanted)
    writer = GrammarWriter(form, controls, prompt, thinking=thinking)
    if offer.required:
        return lark_grammar(writer.required_call(offer.tools), writer.schemas, "tools")
    schema = schema_of(wanted.kind, thaw(wanted.schema))
    if schema is not None:
        plain = not (form.thinks or thinking or form.content.open)
        if plain:
            return plain_grammar(wanted)
        return lark_grammar(writer.json_answer(schema), writer.schemas, "response_format")
    held = writer.strict_calls(offer.tools, offer.strict) if offer.strict else ""
    return lark_grammar(held, writer.schemas, "tools") if held else ""
