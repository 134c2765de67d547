"""Models that this gateway runs itself: their settings, plan, first start and administration."""
