"""The embedded stack: PostgreSQL, a broker and the programs of Stepwise under one supervisor, from packages alone.

It knows no Django and imports nothing of `annotator` outside itself, so that it starts in a fraction of a second and
stays small while it watches. `python -m annotator.embedded` runs it; `Home` is also what the settings ask where things
are.
"""
