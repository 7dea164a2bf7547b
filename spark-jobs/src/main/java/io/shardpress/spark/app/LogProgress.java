package io.shardpress.spark.app;

import io.shardpress.spark.engine.Progress;
import java.io.PrintStream;
import java.util.Locale;

/** A line for each block: {@code [ 3/6] model.layers.2 4.50 bits rel.err 1.2e-3 4.1 s}. */
final class LogProgress implements Progress {
  private final PrintStream out;
  private int total;
  private int done;
  private long last;

  LogProgress(PrintStream out) {
    this.out = out;
  }

  @Override
  public void found(String what, int there, int total) {
    if (there > 0) {
      out.println(foundLine(what, there, total));
    }
  }

  /** 2 of 6 blocks are in the part store, 4 to do. */
  static String foundLine(String what, int there, int total) {
    return String.format(
        Locale.ROOT,
        "%d of %d %s are in the part store, %d to do",
        there,
        total,
        what,
        total - there);
  }

  @Override
  public void begin(int pieces) {
    total = pieces;
    done = 0;
    last = System.nanoTime();
  }

  @Override
  public void done(String name, double bits, double relativeError) {
    long now = System.nanoTime();
    line(
        name,
        bits,
        String.format(
            Locale.ROOT, "rel.err %s  %.1f s", scientific(relativeError), (now - last) / 1e9));
    last = now;
  }

  @Override
  public void reused(String name, double bits) {
    line(name, bits, "in the part store");
  }

  @Override
  public void say(String line) {
    out.println(line);
  }

  private void line(String name, double bits, String outcome) {
    done++;
    int width = String.valueOf(total).length();
    out.println(
        String.format(
            Locale.ROOT,
            "[%" + (width + 1) + "d/%d] %s  %.2f bits  %s",
            done,
            total,
            name,
            bits,
            outcome));
  }

  /** 1.2e-3, not 1.2e-03. */
  static String scientific(double value) {
    return String.format(Locale.ROOT, "%.1e", value).replaceAll("e([+-])0(\\d)", "e$1$2");
  }

  @Override
  public void end() {}
}
