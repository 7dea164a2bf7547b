package io.shardpress.spark.app;

import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.io.ObjectStoreSettings;
import java.security.CodeSource;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.SparkSession;

/** Opens Spark as the command line asks: what it says wins over spark-submit's settings. */
public final class SparkSessions {
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "spark.ui.showConsoleProgress", "false",
          // Room that every job takes for what its tasks have in common: a few KB here, not 4 MB.
          "spark.broadcast.blockSize", "64k",
          // Steps that run side by side share the cores, whichever began first.
          "spark.scheduler.mode", "FAIR",
          "spark.kryoserializer.buffer.max", "512m",
          "spark.driver.maxResultSize", "2g");

  private SparkSessions() {}

  /** Opens a session, or takes the one that this process has; that one keeps its settings. */
  public static OpenSession open(String name, SparkSettings settings) {
    boolean ours = SparkEnv.get() == null;
    SparkConf conf = conf(name, settings);
    SparkSession session =
        ours
            ? StandaloneMaster.open(
                conf.get("spark.master"),
                StandaloneMaster.PATIENCE,
                () -> SparkSession.builder().config(conf).getOrCreate())
            : SparkSession.builder().config(conf).getOrCreate();
    // It may have been opened by another thread.
    SparkSession.setActiveSession(session);
    ObjectStoreSettings.setDefaults(session.sparkContext().hadoopConfiguration());
    return new OpenSession(session, ours);
  }

  /** The settings that a session will have. */
  static SparkConf conf(String name, SparkSettings settings) {
    SparkConf conf = new SparkConf();
    conf.setAppName("shardpress " + name);
    DEFAULTS.forEach(conf::setIfMissing);
    settings.master().ifPresent(conf::setMaster);
    conf.setIfMissing("spark.master", "local[*]");
    if (conf.get("spark.master").startsWith("local")) {
      // Nobody reaches an embedded Spark from outside.
      conf.setIfMissing("spark.ui.enabled", "false");
      conf.setIfMissing("spark.driver.host", "127.0.0.1");
      conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
    }
    settings.conf().forEach(conf::set);
    if (!conf.get("spark.master").startsWith("local")) {
      conf.setIfMissing("spark.executor.extraJavaOptions", JvmOptions.ofExecutors());
      ownJar().ifPresent(jar -> conf.setIfMissing("spark.jars", jar));
    }
    conf.set("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    conf.set("spark.kryo.registrationRequired", "true");
    conf.set("spark.kryo.registrator", ShardpressRegistrator.class.getName());
    return conf;
  }

  /** The jar that this class came from: executors fetch it where spark-submit has not sent it. */
  private static Optional<String> ownJar() {
    CodeSource source = SparkSessions.class.getProtectionDomain().getCodeSource();
    return Optional.ofNullable(source)
        .map(from -> from.getLocation().toString())
        .filter(location -> location.endsWith(".jar"));
  }
}
