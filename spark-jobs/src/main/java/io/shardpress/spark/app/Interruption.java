package io.shardpress.spark.app;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/**
 * What becomes of a command that is told to end, by Ctrl-C, kill or a terminal that goes: one line
 * says what is kept, and nothing that fails on the way is told of.
 */
public final class Interruption {
  private static final List<String> SIGNALS = List.of("INT", "TERM", "HUP");

  private static volatile String kept = "nothing was written; the same command begins anew";
  private static volatile Runnable first = () -> {};
  private static volatile boolean happened;

  private Interruption() {}

  /** Whether the process has been told to end. */
  public static boolean happened() {
    return happened;
  }

  /**
   * Says what stands if the process is told to end from now on.
   *
   * @param what for people, with what the same command would do
   * @param before ends a line that is being drawn
   */
  static void keeps(String what, Runnable before) {
    kept = what;
    first = before;
  }

  /**
   * Hears of signals from now on. Where the JVM leaves them to others (-Xrs), or they are ignored
   * as under nohup, it stays so.
   *
   * @param end ends the process; a second signal ends it at once
   */
  public static void install(Runnable end) {
    try {
      // By name: the compiler warns of every use of this class, and cannot be told not to.
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handlers = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              Interruption.class.getClassLoader(),
              new Class<?>[] {handlers},
              (proxy, method, arguments) -> answer(method, proxy, arguments, end));
      Method handle = signal.getMethod("handle", signal, handlers);
      for (String name : SIGNALS) {
        handle.invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
      }
    } catch (ReflectiveOperationException e) {
      // Then the JVM ends as it does by itself; what is kept is the same.
      return;
    }
  }

  private static Object answer(Method method, Object proxy, Object[] arguments, Runnable end) {
    return switch (method.getName()) {
      case "handle" -> {
        told(end);
        yield null;
      }
      case "equals" -> proxy == arguments[0];
      case "hashCode" -> System.identityHashCode(proxy);
      default -> "interruption";
    };
  }

  private static void told(Runnable end) {
    synchronized (Interruption.class) {
      if (happened) {
        return;
      }
      happened = true;
    }
    try {
      first.run();
    } catch (RuntimeException e) {
      // The line below is what counts.
    }
    System.err.println("interrupted: " + kept);
    end.run();
  }
}
