"""Chat template of a model: renders a conversation, and knows in what format its answers come."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gateway.core.document import JsonObject, thaw
from gateway.core.errors import BadRequest
from gateway.core.request import Message
from gateway.local.embedded.text.alternation import alternating, shows_systems
from gateway.local.embedded.text.formats.answer_format import HERMES, AnswerFormat
from gateway.local.embedded.text.formats.derive import derive
from gateway.local.embedded.text.formats.probe import Probe
from gateway.local.embedded.text.jinja_template import JinjaTemplate, TemplateFault
from gateway.local.embedded.text.turns import Turn, turns_of, with_tools, without_system, without_thoughts

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_THOUGHT_KEYS = ("reasoning_content", "reasoning", "thinking")


class ChatTemplate:
    """Chat template with all that is learnt from it once. `source` empty: ChatML."""

    def __init__(self, source: str, *, bos: str, eos: str, now: Callable[[], datetime] = datetime.now) -> None:
        self._template = JinjaTemplate(source or CHATML, bos=bos, eos=eos, now=now)
        self.bos, self.eos = bos, eos
        probe = Probe(self._template.render, TemplateFault)
        self.shape = probe.shape(self._template.source)
        self._thought_keys = tuple(key for key in _THOUGHT_KEYS if key in self._template.source)
        self.format: AnswerFormat = derive(probe, self._template.source)

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[JsonObject] = (),
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """Render the prompt, up to where the model's answer begins. `variables`: what the template may ask for.

        Raises:
            BadRequest: the template refuses these messages, or fails with them.
        """
        try:
            return self.rendered(messages, [thaw(tool) for tool in tools], generate=True, variables=variables)
        except TemplateFault as fault:
            reason = f" refuses these messages: {fault}" if fault.refused else " can't render these messages."
            raise BadRequest(f"The model's chat template{reason}", param="messages") from fault

    def rendered(
        self,
        messages: Sequence[Message],
        tools: Sequence[object],
        *,
        generate: bool,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """Render a conversation; `generate`: up to where the next answer begins.

        Raises:
            TemplateFault: the template can't, in any of the ways in which messages can be put.
        """
        first: TemplateFault | None = None
        incomplete: str | None = None
        for attempt in self._attempts(self._turns(messages, tools)):
            try:
                text = self._template.render(attempt, tools, generate=generate, variables=variables)
            except TemplateFault as fault:
                first = first or fault
                continue
            if shows_systems(text, attempt):
                return text
            incomplete = incomplete or text
        if incomplete is not None:
            return incomplete
        assert first is not None
        raise first

    def _turns(self, messages: Sequence[Message], tools: Sequence[object]) -> list[Turn]:
        calls = self.format.calls or HERMES
        turns = turns_of(messages, self.shape, calls, self._thought_keys)
        if tools and not self.shape.shows_tools:
            turns = with_tools(turns, tools, calls)
        return turns if self.shape.shows_system else without_system(turns)

    def _attempts(self, turns: list[Turn]) -> list[list[Turn]]:
        """Return the turns, then what some templates want instead.

        That is: no thoughts beside calls, the user and the assistant by turns, no system's messages.
        """
        attempts = [turns]
        alone = without_system(turns)
        for other in (without_thoughts(turns, self._thought_keys), alternating(turns), alone, alternating(alone)):
            if other not in attempts:
                attempts.append(other)
        return attempts

    @property
    def source(self) -> str:
        """The template's own text."""
        return self._template.source

    def opens_thought(self, prompt: str) -> bool:
        """Say whether a rendered prompt ends inside a thought."""
        mark = self.format.thought.open.strip()
        return self.format.opened_in_words or (bool(mark) and prompt.rstrip().endswith(mark))
