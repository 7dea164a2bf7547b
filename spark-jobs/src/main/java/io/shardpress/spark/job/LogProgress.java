package io.shardpress.spark.job;

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
  public void begin(int pieces) {
    total = pieces;
    last = System.nanoTime();
  }

  @Override
  public void done(String name, double bits, double relativeError) {
    done++;
    long now = System.nanoTime();
    int width = String.valueOf(total).length();
    out.println(
        String.format(
            Locale.ROOT,
            "[%" + (width + 1) + "d/%d] %s  %.2f bits  rel.err %s  %.1f s",
            done,
            total,
            name,
            bits,
            scientific(relativeError),
            (now - last) / 1e9));
    last = now;
  }

  /** 1.2e-3, not 1.2e-03. */
  static String scientific(double value) {
    return String.format(Locale.ROOT, "%.1e", value).replaceAll("e([+-])0(\\d)", "e$1$2");
  }

  @Override
  public void end() {}
}
