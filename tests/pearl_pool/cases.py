"""Runs claims beside each other: most of their time they wait for a limit to pass."""
import concurrent.futures
import sys
import time
import traceback


def run(cases, at_once=8):
    """Each case is a function, or a function and its arguments; its failures are told by name."""
    wanted = sys.argv[1:]

    def play(case):
        function, *arguments = case if isinstance(case, tuple) else (case,)
        name = " ".join([function.__name__, *(str(a) for a in arguments)])
        if wanted and not any(word in name for word in wanted):
            return name, None, 0
        begun = time.monotonic()
        try:
            function(*arguments)
            return name, None, time.monotonic() - begun
        except BaseException:  # noqa: B902  a failed assert, a time-out: all are told
            return name, traceback.format_exc(), time.monotonic() - begun

    with concurrent.futures.ThreadPoolExecutor(at_once) as executor:
        done = list(executor.map(play, cases))
    for name, wrong, seconds in done:
        if wrong:
            print(f"--- {name} ({seconds:.1f} s)\n{wrong}")
    print(f"{len(done)} cases, {sum(bool(w) for _, w, _ in done)} failed, "
          f"the longest took {max(s for *_, s in done):.1f} s")
    sys.exit(any(wrong for _, wrong, _ in done))
