"""Sign-ins."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Account(AbstractUser):
    """A sign-in. What a person may do comes from the posts held, never from the account.

    ``one_time_until``: the password was made by an administrator and holds so long, for choosing an own one.
    """

    one_time_until = models.DateTimeField(null=True, blank=True)
