package io.shardpress.schemas.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs cases one after the other: each ends in a result or a refusal of one line, takes no more
 * memory than its size allows, and ends. {@code -Dshardpress.fuzz=full} runs the full number in
 * place of the short one, {@code -Dshardpress.fuzz.seed=N} other cases.
 */
public final class Fuzz {
  /** Allocated for an input of any size: messages, buffers of parsers, tables of symbols. */
  private static final long FREE_BYTES = 1 << 20;

  /** No case takes milliseconds; this is for those that do not end. */
  private static final long HANG_SECONDS = 20;

  private static final long SEED = Long.getLong("shardpress.fuzz.seed", 20260101);
  private static final int SHOWN_CHARACTERS = 4000;

  private Fuzz() {}

  /** How many cases ended which way. */
  public record Tally(int accepted, int refused) {}

  /** The number of cases of this run. */
  public static int cases(int brief, int full) {
    return System.getProperty("shardpress.fuzz", "brief").equals("full") ? full : brief;
  }

  /** Runs cases on a thread of their own, which is watched. */
  public static <I, T> Tally run(int cases, FuzzSubject<I, T> subject) throws InterruptedException {
    Course<I, T> course = new Course<>(cases, subject);
    Thread thread = new Thread(course, "fuzz");
    thread.setDaemon(true);
    thread.start();
    int seen = -1;
    long since = System.nanoTime();
    while (thread.isAlive()) {
      thread.join(100);
      if (course.at != seen) {
        seen = course.at;
        since = System.nanoTime();
      } else if (System.nanoTime() - since > HANG_SECONDS * 1_000_000_000L) {
        fail(
            "case %d of seed %d does not end: %s%n%s",
            seen, SEED, Arrays.toString(thread.getStackTrace()), shown(subject, seen));
      }
    }
    if (course.failure.get() != null) {
      throw new AssertionError(
          String.format(
              Locale.ROOT,
              "case %d of seed %d: %s%n%s",
              course.at,
              SEED,
              course.failure.get(),
              shown(subject, course.at)),
          course.failure.get());
    }
    return new Tally(course.accepted, course.refused);
  }

  private static <I, T> String shown(FuzzSubject<I, T> subject, int index) {
    String text = subject.show(subject.make(random(index)));
    return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS) + " …";
  }

  /** A case can be run without those before it. */
  private static Random random(int index) {
    return new Random(SEED * 0x9E3779B97F4A7C15L + index);
  }

  private static final class Course<I, T> implements Runnable {
    private final int cases;
    private final FuzzSubject<I, T> subject;
    private final ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile int at = -1;
    private int accepted;
    private int refused;

    Course(int cases, FuzzSubject<I, T> subject) {
      this.cases = cases;
      this.subject = subject;
    }

    @Override
    public void run() {
      try {
        warmUp();
        for (int i = 0; i < cases; i++) {
          at = i;
          one(subject.make(random(i)));
        }
      } catch (Throwable e) {
        failure.set(e);
      }
    }

    /** Classes that the first cases load are not theirs. */
    private void warmUp() {
      for (int i = 0; i < 200; i++) {
        try {
          subject.read(subject.make(random(-1 - i)));
        } catch (Throwable e) {
          if (!subject.isRefusal(e)) {
            return;
          }
        }
      }
    }

    private void one(I input) {
      Throwable thrown = null;
      T result = null;
      long before = memory.getCurrentThreadAllocatedBytes();
      try {
        result = subject.read(input);
      } catch (Throwable e) {
        thrown = e;
      }
      long allocated = memory.getCurrentThreadAllocatedBytes() - before;
      assertThat(allocated)
          .as("bytes allocated for an input of %d", subject.bytes(input))
          .isLessThan(FREE_BYTES + subject.allocatedPerByte() * subject.bytes(input));
      if (thrown == null) {
        accepted++;
        subject.accepted(input, result);
        return;
      }
      if (!subject.isRefusal(thrown)) {
        throw new AssertionError("thrown in place of a refusal: " + thrown, thrown);
      }
      refused++;
      assertThat(thrown.getMessage()).isNotBlank().doesNotContainPattern("\\p{Cntrl}");
      subject.refused(input, thrown);
    }
  }
}
