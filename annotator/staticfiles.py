"""How static files are named and compressed for production."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with a hash of the content, and a gzip beside each file.

    Comments that point to source maps are left as they are: the maps are not shipped, and Django would refuse the file.
    """

    patterns = tuple(
        (kind, tuple(rule for rule in rules if "sourceMappingURL" not in (rule if isinstance(rule, str) else rule[0])))
        for kind, rules in CompressedManifestStaticFilesStorage.patterns
    )
