"""`python -m annotator.embedded`: run everything until Ctrl-C. What `make run` does."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from annotator.embedded.errors import EmbeddedError
from annotator.embedded.home import DATABASE, Home
from annotator.embedded.journal import say
from annotator.embedded.process import end_leftovers
from annotator.embedded.stack import Stack
from annotator.embedded.supervisor import Supervisor


async def _start(supervisor: Supervisor, stack: Stack) -> None:
    say(f"Starting Stepwise in {stack.home.path} …")
    if not stack.has_outside_database:
        server = stack.postgres()
        await supervisor.start(stack.database(server))
        server.create_database(DATABASE)
    if not stack.has_outside_broker:
        await supervisor.start(stack.broker())
    environment = {**stack.environment, **stack.addresses()}
    simulator = stack.simulator(environment)
    await asyncio.gather(
        supervisor.run(stack.bootstrap(environment)),
        supervisor.start(*([simulator] if simulator else [])),
    )
    await supervisor.start(*stack.programs(environment))
    say(greeting(stack))


def greeting(stack: Stack) -> str:
    """What to know when it is ready. The password is in it only when this start made the account."""
    environment = stack.environment
    manager = stack.made_first_manager()
    chosen = bool(environment.get("STEPWISE_ADMIN_PASSWORD"))
    password = "as in STEPWISE_ADMIN_PASSWORD" if chosen else f"{stack.password}   (shown this once)"
    lines = [
        ("Stepwise is ready", environment.get("STEPWISE_ORIGIN") or stack.address.url),
        *([("sign in as", manager), ("password", password)] if manager else []),
        ("models", "the built-in simulator" if stack.simulates else environment["OPENAI_BASE_URL"]),
        ("state and logs", str(stack.home.path)),
        ("to stop", "Ctrl-C"),
    ]
    return "\n" + "\n".join(f"  {name:<18} {value}" for name, value in lines) + "\n"


def main() -> int:
    """Exit status: 0 after a stop that was asked for, 1 with a line on stderr for everything else."""
    if sys.argv[1:]:
        say("python -m annotator.embedded takes no arguments: docs/operator.md names the variables that it reads.")
        return 1
    logging.raiseExceptions = False  # a full disk must not end the supervisor through its own log
    home = Home.from_environment()
    try:
        home.prepare()
        with home.hold() as still_ours:
            end_leftovers(home.path)
            stack = Stack.from_environment(home, os.environ)
            stack.address.check_free()
            supervisor = Supervisor(home.logs, still_ours)
            asyncio.run(supervisor.serve(_start(supervisor, stack)))
    except EmbeddedError as error:
        say(f"Stepwise cannot run: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
