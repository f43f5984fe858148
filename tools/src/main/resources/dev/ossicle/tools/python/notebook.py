# The notebook: reads commands as JSON lines, runs code, says when it is done. Runs inside the sandbox, where the code that it
# runs may do to it whatever it likes: nothing that comes out of here is trusted.
import ast, base64, builtins, codeop, json, linecache, os, queue, resource, signal, sys, threading, time, traceback

commands = os.fdopen(os.dup(0), "r", encoding="utf-8")
LIMITS = json.loads(commands.readline())  # not through sys.stdin, which would swallow what follows
answers = os.dup(1)
null = os.open(os.devnull, os.O_RDONLY)
os.dup2(null, 0)
os.close(null)
sys.stdin = open(0, "r", closefd=False)

for name, value in (
    (resource.RLIMIT_AS, LIMITS["memory"]),
    (resource.RLIMIT_CPU, LIMITS["cpu"]),
    (resource.RLIMIT_NPROC, LIMITS["processes"]),
    (resource.RLIMIT_CORE, 0),
):
    try:
        resource.setrlimit(name, (value, value))
    except (ValueError, OSError) as error:
        print("limit", name, "cannot be set:", error, flush=True)
        os._exit(70)

FOLDER = os.getcwd()
waiting = queue.SimpleQueue()
main = threading.main_thread()
running = False


def read_commands():
    for line in commands:
        command = json.loads(line)
        if command["do"] == "interrupt":
            if running:
                signal.pthread_kill(main.ident, signal.SIGINT)
        else:
            waiting.put(command)
    os._exit(0)  # nobody is there any more


def files():
    found = {}
    for folder, folders, names in os.walk(FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if os.path.isfile(path) and not os.path.islink(path):
                found[os.path.relpath(path, FOLDER)] = (status.st_size, status.st_mtime_ns)
            if len(found) >= 1000:
                return found
    return found


def inside(name):
    path = os.path.realpath(os.path.join(FOLDER, name))
    if not path.startswith(FOLDER + os.sep):
        raise ValueError(name + " is not in " + FOLDER)
    return path


class Notebook:
    def __init__(self):
        self.cells = 0
        self.pictures = 0
        self.names = {"__name__": "__main__", "__builtins__": builtins}

    def run(self, code):
        global running
        self.cells += 1
        name = "<cell %d>" % self.cells
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        running = True
        try:
            tree = ast.parse(code, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), self.names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), self.names)
                if value is not None:
                    self.names["_"] = value
                    print(repr(value))
                    self.save_image(value)
            self.save_figures()
            return True
        except SystemExit:
            return True
        except BaseException as error:
            running = False
            self.show(error, name)
            return False
        finally:
            running = False

    # A picture cannot be told as text: it becomes a file, and that is said.
    def save_image(self, value):
        for kind in ("png", "jpeg", "svg"):
            method = getattr(type(value), "_repr_%s_" % kind, None)
            data = method(value) if method is not None else None
            if data:
                with self.picture(kind) as file:
                    file.write(data.encode() if isinstance(data, str) else data)
                return

    def save_figures(self):
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot else ():
            with self.picture("png") as file:
                pyplot.figure(number).savefig(file, format="png")
            pyplot.close(number)

    def picture(self, kind):
        self.pictures += 1
        name = "picture-%d.%s" % (self.pictures, kind)
        print("[picture saved as %s]" % os.path.join(FOLDER, name))
        return open(os.path.join(FOLDER, name), "wb")

    def show(self, error, name):
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != name:
            trace = trace.tb_next  # our own frames
        sys.stdout.flush()
        if isinstance(error, KeyboardInterrupt):
            print("KeyboardInterrupt", file=sys.stderr)
        else:
            traceback.print_exception(type(error), error, trace)


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def main_loop():
    notebook = Notebook()
    threading.Thread(target=read_commands, daemon=True).start()
    while True:
        try:
            command = waiting.get()
            answer = {}
            if command["do"] == "run":
                before = files()
                answer["ok"] = notebook.run(command["code"])
                after = files()
                answer["files"] = [[k, v[0]] for k, v in sorted(after.items()) if before.get(k) != v]
            elif command["do"] == "list":
                answer["files"] = [[k, v[0]] for k, v in sorted(files().items())]
            elif command["do"] == "read":
                with open(inside(command["name"]), "rb") as file:
                    answer["data"] = base64.b64encode(file.read(command["most"] + 1)).decode()
            elif command["do"] == "write":
                path = inside(command["name"])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(base64.b64decode(command["data"]))
        except KeyboardInterrupt:
            answer = {"error": "interrupted"}
        except Exception as error:
            answer = {"error": str(error)}
        flush()
        line = ("\n" + command["mark"] + json.dumps(answer) + "\n").encode()
        while line:
            line = line[os.write(answers, line):]


signal.signal(signal.SIGINT, signal.default_int_handler)
main_loop()
