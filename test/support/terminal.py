"""terminal.py STEPS COMMAND...: runs a command on a terminal of its own and prints all that it shows.

STEPS is a JSON list of [text to wait for, text to type]; a step that does not come within a minute ends with status 99.
"""
import json, os, pty, select, sys

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, mark = "", 0
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    if not ready:
        os.kill(pid, 9)
        print(shown, "\n-- waited for", steps[:1])
        sys.exit(99)
    try:
        data = os.read(terminal, 4096)
    except OSError:
        data = b""
    if not data:
        break
    shown += data.decode(errors="replace")
    while steps and steps[0][0] in shown[mark:]:
        mark = shown.index(steps[0][0], mark) + len(steps[0][0])
        os.write(terminal, steps.pop(0)[1].encode())
_, status = os.waitpid(pid, 0)
print(shown.replace("\r\n", "\n"), end="")
sys.exit(os.waitstatus_to_exitcode(status) % 256)
