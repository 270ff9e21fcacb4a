"""The API: assembles the rooms' endpoints under /api/, and nothing more.

In: each room's ``api.router``. Out: one OpenAPI document, sign-in by session or token, problem details (RFC 9457).
"""
