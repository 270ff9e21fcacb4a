"""Sign-ins."""

from django.contrib.auth.models import AbstractUser


class Account(AbstractUser):
    """A sign-in. What a person may do comes from the posts held, never from the account."""
