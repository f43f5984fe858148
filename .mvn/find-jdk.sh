# Sourced by ./ossicle and ./mvnw: sets JAVA_HOME to a JDK that can build and run Ossicle.
# Looks at JAVA_HOME, then the java on the PATH, then the folders where installers put JDKs.
# Takes the first that is 25.0.3 or newer, else the first 25 or newer (before 25.0.3, G1 could move pinned
# arrays: JDK-8377811).

ossicle_find_jdk() {
    fallback=
    on_path=$(command -v javac 2>/dev/null || true)
    if [ -n "$on_path" ]; then on_path=$(dirname "$(dirname "$(readlink -f "$on_path" 2>/dev/null || echo "$on_path")")"); fi
    set +f
    for candidate in "${JAVA_HOME-}" "$on_path" \
        /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
        /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
        if [ -z "$candidate" ] || [ ! -x "$candidate/bin/javac" ] || [ ! -f "$candidate/release" ]; then continue; fi
        version=$(sed -n 's/^JAVA_VERSION="\([0-9.]*\).*/\1/p' "$candidate/release")
        major=${version%%.*}
        case "$major" in '' | *[!0-9]*) continue ;; esac
        if [ "$major" -lt 25 ]; then continue; fi
        case "$version" in
        25 | 25.0 | 25.0.[012] | 25.0.[012].*) fallback=${fallback:-$candidate} ;;
        *)
            JAVA_HOME=$candidate
            export JAVA_HOME
            return 0
            ;;
        esac
    done
    if [ -n "$fallback" ]; then
        JAVA_HOME=$fallback
        export JAVA_HOME
        return 0
    fi
    echo "Ossicle needs a JDK 25 or newer and found none in JAVA_HOME, on the PATH or in the usual folders: install one (for example Temurin from https://adoptium.net) or set JAVA_HOME." >&2
    return 1
}
ossicle_find_jdk || exit 1
