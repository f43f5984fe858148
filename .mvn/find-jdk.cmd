@rem Called by ossicle.cmd and mvnw.cmd: sets JAVA_HOME to a JDK 25 or newer. Not tested by CI.
@echo off
call :try "%JAVA_HOME%" && exit /b 0
for /f "delims=" %%J in ('where javac 2^>nul') do call :try "%%~dpJ.." && exit /b 0
for /d %%D in ("%ProgramFiles%\Eclipse Adoptium\jdk-*" "%ProgramFiles%\Java\jdk-*" "%ProgramFiles%\Microsoft\jdk-*" "%ProgramFiles%\Zulu\zulu-*" "%USERPROFILE%\.jdks\*") do call :try "%%~D" && exit /b 0
echo Ossicle needs a JDK 25 or newer and found none in JAVA_HOME, on the PATH or in the usual folders: install one (for example Temurin from https://adoptium.net) or set JAVA_HOME. 1>&2
exit /b 1

:try
if "%~1"=="" exit /b 1
if not exist "%~1\bin\javac.exe" exit /b 1
if not exist "%~1\release" exit /b 1
set "ossicle_major="
for /f "tokens=2 delims==." %%V in ('findstr /b "JAVA_VERSION=" "%~1\release"') do set "ossicle_major=%%~V"
set "ossicle_major=%ossicle_major:"=%"
if not defined ossicle_major exit /b 1
if %ossicle_major% LSS 25 exit /b 1
set "JAVA_HOME=%~1"
exit /b 0
