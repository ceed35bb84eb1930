{
  description = "worker-runtime: a small, exact runtime for LLM Workers";

  inputs.nixpkgs.url = "github:nixos/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
        "x86_64-darwin"
      ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # Programs, libraries, headers and man pages. The build asks the compiler what it can link: the
      # libc of nixpkgs has its static half elsewhere, so this is -pie and not -static-pie.
      package =
        pkgs:
        pkgs.stdenv.mkDerivation {
          pname = "worker-runtime";
          version = "0.1.0"; # WR_VERSION; tests/nix/run.sh compares
          src = self;
          makeFlags = [ "PREFIX=$(out)" ];
          enableParallelBuilding = true;
          meta = {
            description = "Hosts LLM Workers behind REST and WebSocket";
            license = pkgs.lib.licenses.mit;
            mainProgram = "worker-runtime";
            platforms = systems;
          };
        };

      # The same with TLS, by BearSSL: its folder as the GNUmakefile wants it (vendor/README.md).
      withTls =
        pkgs:
        (package pkgs).overrideAttrs {
          pname = "worker-runtime-tls";
          postPatch = ''
            mkdir bearssl
            ln -s ${pkgs.bearssl.dev}/include bearssl/inc
            ln -s ${pkgs.bearssl.lib}/lib bearssl/build
          '';
          makeFlags = [
            "PREFIX=$(out)"
            "TLS=bearssl"
            "BEARSSL_DIR=bearssl"
          ];
        };

      # `make test`. It builds with the sanitizers, so with the flags of the GNUmakefile alone.
      tests =
        pkgs:
        (package pkgs).overrideAttrs {
          pname = "worker-runtime-tests";
          hardeningDisable = [ "all" ];
          nativeCheckInputs = [ pkgs.python3 ];
          __darwinAllowLocalNetworking = true;
          postPatch = "sh tests/nix/paths.sh ${pkgs.coreutils}/bin ${pkgs.gnugrep}/bin";
          dontBuild = true;
          doCheck = true;
          checkTarget = "test";
          installPhase = "touch $out";
          dontFixup = true;
        };
    in
    {
      packages = forEach (pkgs: {
        default = package pkgs;
        yoi = package pkgs;
        tls = withTls pkgs;
      });

      checks = forEach (pkgs: {
        yoi = package pkgs;
        tls = withTls pkgs;
        test = tests pkgs;
      });

      # Both compilers, and what tests/check.sh, the tests and the benchmarks call.
      devShells = forEach (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.gcc
            pkgs.clang
            pkgs.clang-tools
            pkgs.cppcheck
            pkgs.python3
            pkgs.sqlite
          ];
          # The flags under test are those of the GNUmakefile.
          hardeningDisable = [ "all" ];
          # Each compiler names itself CC, and the last would win.
          shellHook = "export CC=${if pkgs.stdenv.hostPlatform.isDarwin then "clang" else "gcc"}";
        };
      });
    };
}
