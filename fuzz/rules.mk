# Fuzzing (fuzz/README.md). Included by GNUmakefile.
#
#   make fuzz [TARGET=ws_frame] [SECONDS=60]   clang and libFuzzer, ASan and UBSan; all in turn, or
#                                              FUZZ_JOBS=2 of them at a time
#   make fuzz-replay                           corpus and crashes, any compiler

# A target links its layer and what is below it.
fuzz_of_base      := utf8
fuzz_of_core      := cursor event_bytes
fuzz_of_codec     := http_head http_response http_body http_target url ws_frame ws_message \
                     ws_handshake json_reader json_number log_record sse
fuzz_of_wire      := command_json protocol_event stream_json answer_json bundle_json chat_chunk
fuzz_of_io        := dns_message $(if $(filter bearssl,$(TLS)),tls_identity tls_key)
fuzz_of_execution := child_lines
fuzz_of_store     := store_open
fuzz_of_conn      := http_server http_client
fuzz_of_host      := config_file tokens
fuzz_of_backend   := backend_cursor local_metadata
ifeq ($(HTTP_SERVER),0)
fuzz_of_conn :=
fuzz_of_host :=
endif
ifeq ($(WS_SERVER),0)
fuzz_of_backend :=
endif
ifeq ($(FS_STORE),0)
fuzz_of_store :=
fuzz_of_codec := $(filter-out log_record,$(fuzz_of_codec))
endif
fuzz_layers  := base core codec wire io execution store conn host backend
fuzz_targets := $(foreach layer,$(fuzz_layers),$(fuzz_of_$(layer)))
# For `make test`: each is a program whose last line counts, like any test.
fuzz_bin     := $(addprefix $(B)/fuzz/,$(fuzz_targets))

fuzz_kit    := $(call object,fuzz/fuzz.c)
fuzz_engine := $(if $(filter libfuzzer,$(FUZZ_ENGINE)),,$(call object,fuzz/replay_main.c))
fuzz_flags  := $(if $(filter libfuzzer,$(FUZZ_ENGINE)),-fsanitize=fuzzer)
fuzz_store  := $(call object,tests/unit/io/store/open_kit.c tests/unit/io/store/sim_disk.c)

define fuzz_rule
$(B)/fuzz/$(1): $(call object,fuzz/fuzz_$(1).c) $(fuzz_kit) $(fuzz_engine) \
  $(if $(filter store,$(2)),$(fuzz_store)) $(call libs,$(below_$(2)))
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(all_ldflags) $(fuzz_flags) -o $$@ $$^
endef
$(foreach layer,$(fuzz_layers),$(foreach target,$(fuzz_of_$(layer)),$(eval $(call fuzz_rule,$(target),$(layer)))))

# Those of the command line only: both are common names of the environment.
given = $(if $(filter command,$(origin $(1))),$($(1)),$(2))
fuzz_chosen  = $(call given,TARGET,$(fuzz_targets))
fuzz_seconds = $(call given,SECONDS,60)

ifneq ($(filter fuzz fuzz-run,$(MAKECMDGOALS)),)
ifneq ($(filter-out $(fuzz_targets),$(fuzz_chosen)),)
$(error TARGET=$(fuzz_chosen): there are $(sort $(fuzz_targets)))
endif
endif

.PHONY: fuzz fuzz-run fuzz-replay
fuzz:
	$(Q)$(MAKE) --no-print-directory CC=clang MODE=debug B=build/fuzz FUZZ_ENGINE=libfuzzer \
	  CFLAGS='-O2 -fsanitize=fuzzer-no-link' fuzz-run
fuzz-run: $(addprefix $(B)/fuzz/,$(fuzz_chosen))
	$(Q)FUZZ_FLAGS='$(FUZZ_FLAGS)' sh fuzz/run.sh $(B) $(fuzz_seconds) $(fuzz_chosen)
fuzz-replay: $(fuzz_bin)
	$(Q)sh tests/run.sh $(fuzz_bin)
