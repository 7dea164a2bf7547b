package io.shardpress.spark.engine;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.lang.ref.WeakReference;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.DoubleAdder;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;

/**
 * The metrics source {@code shardpress} of a driver or an executor: sums over all runs of its Spark
 * application, the attempts that failed among them. conf/metrics.properties lists them.
 */
final class RunMetrics implements Source {
  private static WeakReference<SparkEnv> owner = new WeakReference<>(null);
  private static RunMetrics current;

  private final MetricRegistry registry = new MetricRegistry();
  private final Map<String, DoubleAdder> seconds = new ConcurrentHashMap<>();
  private final Map<ErrorKind, Counter> errors = new EnumMap<>(ErrorKind.class);
  final Counter stepsRun = registry.counter("steps.run");
  final Counter stepsReused = registry.counter("steps.reused");
  final Counter killed = registry.counter("tasks.killed");
  final Counter flop = registry.counter("flop");
  final Counter bytesRead = registry.counter("bytes.read");
  final Counter bytesWritten = registry.counter("bytes.written");

  /** Metrics that no Spark knows of. */
  RunMetrics() {
    for (ErrorKind kind : ErrorKind.values()) {
      errors.put(kind, registry.counter("errors." + kind.word()));
    }
  }

  /** Those of this process; of each Spark application that it takes part in, others. */
  static synchronized RunMetrics here() {
    SparkEnv spark = SparkEnv.get();
    if (current == null || owner.get() != spark) {
      current = new RunMetrics();
      owner = new WeakReference<>(spark);
      if (spark != null) {
        spark.metricsSystem().registerSource(current);
      }
    }
    return current;
  }

  /** Counts time by the clock that tasks of a kind took. */
  void took(String kind, double time) {
    seconds
        .computeIfAbsent(
            kind,
            name -> {
              DoubleAdder sum = new DoubleAdder();
              registry.register("taskSeconds." + name, (Gauge<Double>) sum::sum);
              return sum;
            })
        .add(time);
  }

  Counter errors(ErrorKind kind) {
    return errors.get(kind);
  }

  @Override
  public String sourceName() {
    return "shardpress";
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }
}
