package io.shardpress.spark.app;

import io.shardpress.spark.engine.Progress;
import java.io.PrintStream;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/** One line on a terminal that is drawn again: blocks done, rate, time left, the last block. */
final class TerminalProgress implements Progress {
  private static final int REDRAW_MILLIS = 500;

  private final PrintStream out;
  private final EndedOnce terminal;
  private ProgressBar bar;

  /** A line as wide as the terminal, which {@code out} writes to. */
  TerminalProgress(PrintStream out) {
    this(out, new ConsoleProgressBarConsumer(out));
  }

  /** A line of at most {@code columns} characters. */
  TerminalProgress(PrintStream out, int columns) {
    this(out, new ConsoleProgressBarConsumer(out, columns));
  }

  private TerminalProgress(PrintStream out, ProgressBarConsumer console) {
    this.out = out;
    this.terminal = new EndedOnce(console);
  }

  @Override
  public void found(String what, int there, int total) {
    if (there > 0) {
      out.println(LogProgress.foundLine(what, there, total));
    }
  }

  @Override
  public void begin(int total) {
    end();
    terminal.open();
    bar =
        new ProgressBarBuilder()
            .setTaskName("blocks")
            .setInitialMax(total)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(REDRAW_MILLIS)
            .setConsumer(terminal)
            .setEtaFunction(TerminalProgress::left)
            .showSpeed(new DecimalFormat("0.00", DecimalFormatSymbols.getInstance(Locale.ROOT)))
            .setSpeedUnit(ChronoUnit.MINUTES)
            .build();
  }

  @Override
  public void done(String name, double bits, double relativeError) {
    String error = LogProgress.scientific(relativeError);
    step(String.format(Locale.ROOT, " %.2f bits, rel.err %s", bits, error));
  }

  @Override
  public void reused(String name, double bits) {
    step(String.format(Locale.ROOT, " %.2f bits, in the part store", bits));
  }

  @Override
  public void say(String line) {
    end();
    out.println(line);
  }

  private void step(String message) {
    bar.setExtraMessage(message);
    bar.step();
    bar.refresh();
  }

  @Override
  public void end() {
    if (bar == null) {
      return;
    }
    bar.close();
    bar = null;
    // A bar that is closed before its thread has drawn it once does not end its line.
    terminal.close();
  }

  /** Blocks are alike: each that is left takes as long as those before did. */
  private static Optional<Duration> left(ProgressState state) {
    long done = state.getCurrent() - state.getStart();
    if (done <= 0) {
      return Optional.empty();
    }
    Duration each = state.getElapsedAfterStart().dividedBy(done);
    return Optional.of(each.multipliedBy(state.getMax() - state.getCurrent()));
  }

  /** A console whose line ends once, whoever closes it first. */
  private static final class EndedOnce implements ProgressBarConsumer {
    private final ProgressBarConsumer console;
    private boolean open;

    EndedOnce(ProgressBarConsumer console) {
      this.console = console;
    }

    synchronized void open() {
      open = true;
    }

    @Override
    public int getMaxRenderedLength() {
      return console.getMaxRenderedLength();
    }

    @Override
    public synchronized void accept(String line) {
      if (open) {
        console.accept(line);
      }
    }

    @Override
    public void clear() {
      console.clear();
    }

    @Override
    public synchronized void close() {
      if (open) {
        open = false;
        console.close();
      }
    }
  }
}
