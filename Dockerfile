# The portal as one image: N replicas of it, PostgreSQL and nothing on the local disk (docs/operations).
# docker build -t competition-portal . ; the environment says the rest: docker run --env-file portal.env …

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/portal
# requirements-faces.txt has the optional search for faces as well (docs/operations).
ARG LOCK=requirements.txt
COPY ${LOCK} /tmp/requirements.txt
RUN /opt/portal/bin/pip install --require-hashes --only-binary :all: -r /tmp/requirements.txt

FROM python:3.13-slim-bookworm
ENV PATH=/opt/portal/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/srv/portal/data
RUN useradd --system --no-create-home --shell /usr/sbin/nologin portal
WORKDIR /srv/portal/app
COPY --from=build /opt/portal /opt/portal
COPY manage.py ./
COPY deploy/gunicorn.conf.py deploy/
COPY accounts accounts
COPY competition_portal competition_portal
COPY photos photos
COPY plans plans
COPY profiles profiles
COPY registrations registrations
COPY templates templates
COPY static static
# Collecting asks for settings, but keeps none of them: the keys are the ones of development, the platform is nobody.
RUN DEBUG=true OIDC_OP_ISSUER=https://build.invalid OIDC_RP_CLIENT_ID=build OIDC_RP_CLIENT_SECRET=build \
    OIDC_OP_AUTHORIZATION_ENDPOINT=https://build.invalid/authorize OIDC_OP_TOKEN_ENDPOINT=https://build.invalid/token \
    OIDC_OP_USER_ENDPOINT=https://build.invalid/userinfo OIDC_OP_JWKS_ENDPOINT=https://build.invalid/jwks \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q . \
    && mkdir -p /srv/portal/data/private && chown portal: /srv/portal/data /srv/portal/data/private
USER portal
EXPOSE 8000
# A proxy that buffers belongs in front of it: alone, slow clients would occupy every thread.
CMD ["gunicorn", "competition_portal.wsgi:application", "--config", "deploy/gunicorn.conf.py", "--bind", "0.0.0.0:8000", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket", \
     "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-"]
