# As much of nixpkgs as the flake uses, made of this machine's own tools, so that it can be
# evaluated and built without the network.
{
  outputs =
    { self }:
    let
      lib = {
        genAttrs =
          names: make:
          builtins.listToAttrs (
            map (name: {
              inherit name;
              value = make name;
            }) names
          );
        licenses.mit = { };
      };

      shell =
        system: name: attributes:
        derivation (
          attributes
          // {
            inherit system name;
            builder = "/bin/sh";
          }
        );

      # All the store paths of tools in one: what stdenv has, and python3.
      tools =
        system:
        shell system "tools" {
          args = [ ./tools.sh ];
        };

      mkDerivation =
        system: attributes:
        shell system "${attributes.pname}-${attributes.version}" (
          removeAttrs attributes [ "meta" ]
          // {
            args = [ ./build.sh ];
            tools = tools system;
          }
        )
        // {
          inherit (attributes) meta version;
          overrideAttrs = changes: mkDerivation system (attributes // changes);
        };

      # Of this machine, when it has it.
      bearssl =
        system:
        shell system "bearssl" {
          args = [ ./bearssl.sh ];
          tools = tools system;
        };

      named = system: name: shell system name { args = [ "-c" "echo >$out" ]; };

      packagesOf =
        system:
        lib.genAttrs [
          "clang"
          "clang-tools"
          "cppcheck"
          "gcc"
          "sqlite"
        ] (named system)
        // {
          inherit lib;
          coreutils = tools system;
          gnugrep = tools system;
          python3 = tools system;
          bearssl = {
            dev = bearssl system;
            lib = bearssl system;
          };
          stdenv = {
            mkDerivation = mkDerivation system;
            hostPlatform.isDarwin = builtins.match ".*-darwin" system != null;
          };
          mkShell =
            attributes:
            shell system "shell" (attributes // { args = [ "-c" "echo >$out" ]; })
            // {
              has = map (package: package.name) attributes.packages;
            };
        };
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
        "x86_64-darwin"
      ] packagesOf;
    };
}
