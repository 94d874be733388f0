IKEV2D_SRCS := \
	ikev2d/authz_fetch.c \
	ikev2d/authz_grants.c \
	ikev2d/authz_peers.c \
	ikev2d/authz_proc.c \
	ikev2d/authz_status.c \
	ikev2d/backend_exec.c \
	ikev2d/control_json.c \
	ikev2d/control_proc.c \
	ikev2d/control_request.c \
	ikev2d/engine_actions.c \
	ikev2d/engine_encap.c \
	ikev2d/engine_keylog.c \
	ikev2d/engine_proc.c \
	ikev2d/engine_status.c \
	ikev2d/folders.c \
	ikev2d/identity.c \
	ikev2d/keys_proc.c \
	ikev2d/main.c \
	ikev2d/parent.c \
	ikev2d/roles.c \
	ikev2d/trust_proc.c
