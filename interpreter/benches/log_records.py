"""logging: records that are dropped, formatted, filtered and sent through a tree of loggers to handlers in memory."""
import io
import logging
import logging.handlers


class Collector(logging.Handler):
    def __init__(self):
        super().__init__()
        self.count = 0
        self.levels = {}

    def emit(self, record):
        self.count += 1
        self.levels[record.levelname] = self.levels.get(record.levelname, 0) + 1


class OddOnly(logging.Filter):
    def filter(self, record):
        return record.number % 2 == 1


def tree():
    stream = io.StringIO()
    top = logging.getLogger("bench")
    top.setLevel(logging.INFO)
    top.propagate = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)-8s %(name)s:%(funcName)s [%(number)05d] %(message)s"))
    top.addHandler(handler)
    collector = Collector()
    collector.addFilter(OddOnly())
    buffer = logging.handlers.MemoryHandler(50, flushLevel=logging.ERROR, target=collector)
    logging.getLogger("bench.part").addHandler(buffer)
    return stream, collector


def main(rounds):
    stream, collector = tree()
    loggers = [logging.getLogger(f"bench.part.{name}.{i}") for name in ("a", "b") for i in range(5)]
    for i in range(rounds):
        logger = loggers[i % len(loggers)]
        extra = {"number": i}
        for _ in range(20):
            logger.debug("dropped %s", i)
        logger.info("step %d of %d", i, rounds, extra=extra)
        logger.warning("state %(state)s", {"state": i % 3}, extra=extra)
        if i % 50 == 0:
            try:
                raise ValueError(i)
            except ValueError:
                logger.error("failed", extra=extra, exc_info=i % 100 == 0)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("never")
    text = stream.getvalue()
    return len(text.splitlines()), text.count("ValueError"), collector.count, sorted(collector.levels.items())


print(main(15_000))
