package io.shardpress.spark.io;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Small requests to a file system, several under way at once: over a network each takes
 * milliseconds to be answered, and a large model has tens of thousands of files.
 */
public final class SideBySide {
  // S3A keeps hundreds of connections open, HDFS answers over one.
  private static final int AT_ONCE = 16;
  private static final int FEW = 4;

  private SideBySide() {}

  /** Runs {@code request} for every item. */
  public static <T> void forEach(List<T> items, Consumer<T> request) {
    map(
        items,
        item -> {
          request.accept(item);
          return true;
        });
  }

  /** The answers to {@code request} in the items' order; the first failure is thrown. */
  public static <T, R> List<R> map(List<T> items, Function<T, R> request) {
    if (items.size() <= FEW) {
      return items.stream().map(request).toList();
    }
    ExecutorService threads =
        Executors.newFixedThreadPool(
            AT_ONCE,
            body -> {
              Thread thread = new Thread(body, "shardpress request");
              thread.setDaemon(true);
              return thread;
            });
    try {
      List<Future<R>> answers = new ArrayList<>();
      items.forEach(item -> answers.add(threads.submit(() -> request.apply(item))));
      List<R> all = new ArrayList<>();
      for (Future<R> answer : answers) {
        all.add(answer.get());
      }
      return all;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException("a request to a file system failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a file system", e);
    } finally {
      threads.shutdownNow();
    }
  }
}
