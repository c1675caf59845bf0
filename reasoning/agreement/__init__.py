"""How far raters agree: with one another, and with machines."""

from reasoning.agreement.krippendorff import interval_alpha, nominal_alpha
from reasoning.agreement.pairs import Observed, observed

__all__ = ["Observed", "interval_alpha", "nominal_alpha", "observed"]
