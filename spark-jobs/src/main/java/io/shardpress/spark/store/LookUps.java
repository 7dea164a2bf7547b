package io.shardpress.spark.store;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/**
 * Asks a store about many parts side by side: over a network each answer takes milliseconds, and a
 * large model has tens of thousands of parts.
 */
final class LookUps {
  // S3A keeps hundreds of connections open, HDFS answers over one.
  private static final int THREADS = 16;
  private static final int FEW = 4;

  private LookUps() {}

  /** A question, which may throw. */
  private interface Answer<A> {
    A get() throws ExecutionException, InterruptedException;
  }

  /**
   * Asks about each part.
   *
   * @param store its URI, for messages
   * @return the answers in the order of the parts
   * @throws PartException with all parts that are bad
   */
  static <A> List<A> each(String store, List<PartKey> parts, Function<PartKey, A> question) {
    if (parts.size() <= FEW) {
      return answers(store, parts.stream().<Answer<A>>map(p -> () -> question.apply(p)).toList());
    }
    ExecutorService threads =
        Executors.newFixedThreadPool(
            THREADS,
            body -> {
              Thread thread = new Thread(body, "shardpress look-up");
              thread.setDaemon(true);
              return thread;
            });
    try {
      List<Answer<A>> asked = new ArrayList<>();
      for (PartKey part : parts) {
        Future<A> answer = threads.submit(() -> question.apply(part));
        asked.add(answer::get);
      }
      return answers(store, asked);
    } finally {
      threads.shutdownNow();
    }
  }

  private static <A> List<A> answers(String store, List<Answer<A>> asked) {
    List<A> answers = new ArrayList<>();
    List<PartFault> faults = new ArrayList<>();
    for (Answer<A> answer : asked) {
      try {
        answers.add(answer.get());
      } catch (PartException e) {
        faults.addAll(e.faults());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof PartException bad) {
          faults.addAll(bad.faults());
        } else if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        } else {
          throw new IllegalStateException(store + ": cannot look up parts", e.getCause());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(store + ": interrupted while looking up parts", e);
      }
    }
    if (!faults.isEmpty()) {
      throw new PartException(faults);
    }
    return answers;
  }
}
