"""A world with known truth, and a server that speaks OpenAI's protocol over it, faults included.

`world` makes problems and solutions whose first error is known; `truth` also learns native rows that carry one;
`completer` and `referee` play the models; `server` serves them: `python -m reasoning.simulator --help`.
"""
