# SPDX-License-Identifier: ISC
LIB_NVO3_SRCS := \
	lib/nvo3/accept.c \
	lib/nvo3/check.c \
	lib/nvo3/decide.c \
	lib/nvo3/doc.c \
	lib/nvo3/elements.c \
	lib/nvo3/elements_channel.c \
	lib/nvo3/elements_node.c \
	lib/nvo3/elements_vn.c \
	lib/nvo3/fetch.c \
	lib/nvo3/file.c \
	lib/nvo3/parse.c \
	lib/nvo3/peers.c \
	lib/nvo3/relation.c \
	lib/nvo3/schema.c \
	lib/nvo3/store.c \
	lib/nvo3/table.c \
	lib/nvo3/value.c

# The schema is compiled in, so that no process needs a file for it.
$(B)/gen/authorization.rng.inc: $(S)/conf/authorization.rng
	$(E) GEN gen/$(@F)
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/\([0-9a-f][0-9a-f]\)/0x\1,/g' >$@
$(B)/obj/lib/nvo3/schema.o: CPPFLAGS += -I$(B)/gen
$(B)/obj/lib/nvo3/schema.o: $(B)/gen/authorization.rng.inc

# This test has an HTTPS server in it.
$(B)/tests/unit/test_nvo3_fetch: ALL_EXT += -lssl
