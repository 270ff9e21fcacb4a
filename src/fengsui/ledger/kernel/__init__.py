"""The pure heart: ``decide(mechanism, case, call, facts, now) -> Decision | Refusals``.

In: a mechanism (loaded from YAML), a case, a call, the facts that its guards declare, the time.
Out: a decision that a door writes down, or every reason why not.
It never reads a database, a clock or a setting, and it names no mechanism.
"""
