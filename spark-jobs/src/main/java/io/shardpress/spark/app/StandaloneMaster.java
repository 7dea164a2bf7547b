package io.shardpress.spark.app;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * A standalone Spark master, which has some time to answer; Spark itself would wait for minutes.
 */
final class StandaloneMaster {
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final String SCHEME = "spark://";
  private static final int CONNECT_MILLIS = 3000;
  private static final long PAUSE_MILLIS = 500;

  private final String url;
  private final Duration patience;
  private final long deadline;

  private StandaloneMaster(String url, Duration patience) {
    this.url = url;
    this.patience = patience;
    this.deadline = System.nanoTime() + patience.toNanos();
  }

  /**
   * Opens something at a master; of other masters than spark:// it just opens it.
   *
   * @throws CheckpointException where no master answers in time
   */
  static <T> T open(String url, Duration patience, Supplier<T> opening) {
    if (!url.startsWith(SCHEME)) {
      return opening.get();
    }
    StandaloneMaster master = new StandaloneMaster(url, patience);
    master.requireListener();
    return master.openInTime(opening);
  }

  /** Waits until one of them takes connections. */
  private void requireListener() {
    List<String> hosts = Arrays.asList(url.substring(SCHEME.length()).split(","));
    String reason = "";
    do {
      boolean known = false;
      for (String host : hosts) {
        InetSocketAddress address = address(host);
        if (address.isUnresolved()) {
          reason = "the host " + address.getHostString() + " is not known";
          continue;
        }
        known = true;
        try (Socket socket = new Socket()) {
          socket.connect(address, CONNECT_MILLIS);
          return;
        } catch (IOException e) {
          reason = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        }
      }
      if (!known) {
        throw refused(reason);
      }
      pause();
    } while (System.nanoTime() < deadline);
    throw refused("did not answer within " + patience.toSeconds() + " s: " + reason);
  }

  private InetSocketAddress address(String host) {
    int colon = host.lastIndexOf(':');
    try {
      int port = Integer.parseInt(host.substring(colon + 1));
      return new InetSocketAddress(host.substring(0, Math.max(0, colon)), port);
    } catch (IllegalArgumentException e) {
      throw refused("wanted spark://HOST:PORT, and 7077 is the usual port");
    }
  }

  /** Something that takes connections may be no master: Spark would ask three times 20 s. */
  private <T> T openInTime(Supplier<T> opening) {
    CompletableFuture<T> opened = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                opened.complete(opening.get());
              } catch (RuntimeException | Error e) {
                opened.completeExceptionally(e);
              }
            },
            "spark session");
    thread.setDaemon(true);
    thread.start();
    try {
      return opened.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw refused(
          "takes connections, but did not answer as a Spark master within "
              + patience.toSeconds()
              + " s; its own page names the URL to use");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw refused("interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private CheckpointException refused(String reason) {
    return new CheckpointException(
        url
            + ": "
            + reason
            + "; start the master, correct --master, or leave it out for this machine's own cores");
  }

  private void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw refused("interrupted");
    }
  }
}
