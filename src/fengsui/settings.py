"""Django's settings, read from the environment.

``FENGSUI_DATA``
    the data folder (database, streams, keys, evidence, overlays); ``./fengsui-data`` unless told.
``DATABASE_URL``
    a PostgreSQL ≥ 15; without it the embedded server of the data folder is expected.
``NATS_URL``
    a NATS server with JetStream; without it the embedded one.
``FENGSUI_DB_ROLE``
    the role that the processes have (``fengsui_app``): assumed where the address signs in as another; unset for the
    owner, who migrates.
``FENGSUI_MAP_APPROVAL``, ``FENGSUI_MAP_TILES``, ``FENGSUI_MAP_CREDIT``, ``FENGSUI_MAP_KEY``
    the map's approval number and a licensed base map under the sketch; see ``[map]`` in ``config.toml``.
``FENGSUI_SECRET_KEY``
    the session key; without it ``keys/secret_key`` in the data folder, made on first use (mode 0600).
"""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fengsui import files
from fengsui.mailserver import mail_server

BASE_DIR = Path(__file__).resolve().parent
DATA_DIR = Path(os.environ.get("FENGSUI_DATA", "fengsui-data")).absolute()


def _made_once(name: str) -> str:
    """The secret in the data folder's ``keys/NAME``, made on first use (mode 0600)."""
    path = DATA_DIR / "keys" / name
    if not DATA_DIR.exists():
        return secrets.token_urlsafe(48)
    return files.kept(path, lambda: secrets.token_urlsafe(48))


def _secret_key() -> str:
    return os.environ.get("FENGSUI_SECRET_KEY") or _made_once("secret_key")


def _metrics_token() -> str:
    """What a monitor shows; none, so that nobody reads, where none is given and none can be kept."""
    try:
        return os.environ.get("FENGSUI_METRICS_TOKEN") or _made_once("metrics_token")
    except OSError:
        return ""


def _map_tiles() -> list[str]:
    """The licensed base map's address templates with the key put in; a browser asks them, so the key is seen by it."""
    path = DATA_DIR / "keys" / "map_key"
    key = os.environ.get("FENGSUI_MAP_KEY") or (path.read_text().strip() if path.exists() else "")
    return [tiles.replace("{key}", quote(key, safe="")) for tiles in os.environ.get("FENGSUI_MAP_TILES", "").split()]


def _database(url: str) -> dict[str, object]:
    """A Django database entry from ``postgresql://user:password@host:port/name?host=/socket``."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    role = os.environ.get("FENGSUI_DB_ROLE")
    if role and role != unquote(parts.username or ""):
        query["assume_role"] = role
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "fengsui",
        "USER": unquote(parts.username or "postgres"),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(query.pop("port", parts.port or "")),
        "CONN_MAX_AGE": 0,  # under ASGI a kept connection outlives its thread
        "OPTIONS": query,
    }


SECRET_KEY = _secret_key()
DEBUG = os.environ.get("FENGSUI_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("FENGSUI_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("FENGSUI_ORIGINS", "").split(",") if origin]

DATABASES = {"default": _database(os.environ.get("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/fengsui"))}
ORIGIN = CSRF_TRUSTED_ORIGINS[0] if CSRF_TRUSTED_ORIGINS else ""  # before the addresses in mails and messages
NATS_URL = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "procrastinate.contrib.django",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "fengsui.region",
    "fengsui.law",
    "fengsui.ledger",
    "fengsui.watch",
    "fengsui.cockpit",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "fengsui.cockpit.security.security_headers",
    "fengsui.cockpit.seats.enter_path",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fengsui.cockpit.seats.sit_down",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "fengsui.region.onelook.one_look",
    "fengsui.region.firstsignin.own_password_first",
]

ROOT_URLCONF = "fengsui.urls"
ASGI_APPLICATION = "fengsui.asgi.application"
AUTH_USER_MODEL = "region.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "cockpit:home"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "cockpit" / "templates"],  # before allauth's own pages
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fengsui.cockpit.context.shell",
            ],
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# reverse proxies in front: so many addresses from the right in X-Forwarded-For are theirs and the visitor's
PROXIES = int(os.environ.get("FENGSUI_PROXIES", "0"))

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True  # served from the packages: nothing to collect, nothing left stale by an update
# an exercise's cases run their minutes and hours this many times faster, marked so
EXERCISE_PACE = int(os.environ.get("FENGSUI_EXERCISE_PACE", "1"))
EVIDENCE_DIR = DATA_DIR / "evidence"
KEYS_DIR = DATA_DIR / "keys"

MAP_APPROVAL = os.environ.get("FENGSUI_MAP_APPROVAL", "")  # 审图号, printed on every map
MAP_TILES = _map_tiles()
MAP_CREDIT = os.environ.get("FENGSUI_MAP_CREDIT", "")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
SESSION_COOKIE_HTTPONLY = True
# people reach it by https alone: cookies never go over plain HTTP, and browsers remember that
TLS = any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = TLS
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
if TLS and PROXIES:  # only a proxy of ours may say that the visitor came by https
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "fengsui.cockpit.crosssite.refused"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

MAIL = mail_server(os.environ.get("FENGSUI_MAIL_URL", ""))
MAILS = MAIL is not None  # without a server no mail is owed to anybody
if MAIL is not None:
    EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = MAIL.tls, MAIL.starttls
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("FENGSUI_MAIL_FROM", f"fengsui@{MAIL.host if MAIL else 'localhost'}")
DEADMAN_URL = os.environ.get("FENGSUI_DEADMAN_URL", "")  # asked each minute while clock, relay, engine and sealer keep up
# what a monitor shows at /metrics; no address stands for it, since a proxy's visitors come from this machine too
METRICS_TOKEN = _metrics_token()
DEMO = os.environ.get("FENGSUI_DEMO") == "1"  # an exercise on synthetic data, with one-click roles
AXES_USERNAME_FORM_FIELD = "login"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "fengsui.ledger.public.limits.address_of"
AXES_USERNAME_CALLABLE = "fengsui.cockpit.signin.name_of"
AXES_LOCKOUT_CALLABLE = "fengsui.cockpit.signin.locked"
ACCOUNT_ADAPTER = "fengsui.cockpit.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "sign_in"
# wrong passwords are counted by axes, tries of one address by our sign-in, a second factor's codes and passwords in an open
# session by our own forms, all in the database; allauth counts in the memory of one process
ACCOUNT_RATE_LIMITS = dict.fromkeys(("login", "login_failed", "change_password", "reauthenticate"))
ACCOUNT_FORMS = {
    "change_password": "fengsui.cockpit.oldpassword.ChangePassword",
    "reauthenticate": "fengsui.cockpit.oldpassword.Reauthenticate",
}
SOCIALACCOUNT_ADAPTER = "fengsui.cockpit.adapters.SocialAccountAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Fengsui"
MFA_FORMS = {
    "authenticate": "fengsui.cockpit.secondfactor.Authenticate",
    "reauthenticate": "fengsui.cockpit.secondfactor.Reauthenticate",
    "activate_totp": "fengsui.cockpit.secondfactor.Activate",
}
OIDC = os.environ.get("FENGSUI_OIDC_ID", "")  # the provider's short name; empty means none
if OIDC:
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": OIDC,
                    "name": os.environ.get("FENGSUI_OIDC_NAME", OIDC),
                    "client_id": os.environ["FENGSUI_OIDC_CLIENT"],
                    "secret": os.environ["FENGSUI_OIDC_SECRET"],
                    "settings": {"server_url": os.environ["FENGSUI_OIDC_URL"]},
                }
            ]
        }
    }
