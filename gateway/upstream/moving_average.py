"""An exponential moving average, for what is measured again and again. Pure."""


class MovingAverage:
    """Average in which the newest measurement counts `weight`, and all earlier ones together count the rest."""

    __slots__ = ("_weight", "value")

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self.value: float | None = None  # None: nothing measured yet

    def add(self, measured: float) -> None:
        """Take in one more measurement; the first one is the average."""
        self.value = measured if self.value is None else self.value + self._weight * (measured - self.value)
