@rem Runs Ossicle from a checkout on Windows: finds a JDK, builds on first use, becomes java. Not tested by CI.
@echo off
setlocal
call "%~dp0.mvn\find-jdk.cmd" || exit /b 1
set "module=cli"
set "main=dev.ossicle.cli.Main"
set "arguments=%*"
if "%~1"=="train" (
    set "module=train"
    set "main=dev.ossicle.train.Main"
    call set "arguments=%%arguments:*train=%%"
)
if "%~1"=="eval" (
    set "module=evals"
    set "main=dev.ossicle.evals.Main"
    call set "arguments=%%arguments:*eval=%%"
)
set "built=%~dp0%module%\target\ossicle.classpath"
if not exist "%built%" (
    echo ossicle: building %module% ^(the first time takes a minute or two^) ... 1>&2
    pushd "%~dp0"
    call mvnw.cmd -B -q -Dquick -Dmaven.test.skip=true -pl %module% -am package dependency:build-classpath -DincludeScope=runtime -Dmdep.outputFile=target/dependencies.classpath 1>&2 || exit /b 1
    popd
    for %%J in ("%~dp0%module%\target\ossicle-%module%-*.jar") do for /f "usebackq delims=" %%C in ("%~dp0%module%\target\dependencies.classpath") do <nul set /p "=%%~J;%%C" > "%built%"
)
for /f "usebackq delims=" %%C in ("%built%") do set "CLASSPATH=%%C"
"%JAVA_HOME%\bin\java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -XX:+UseParallelGC -XX:MaxNewSize=128m -XX:-UsePerfData -XX:PerMethodRecompilationCutoff=10000 %OSSICLE_JAVA_OPTIONS% "%main%" %arguments%
exit /b %ERRORLEVEL%
