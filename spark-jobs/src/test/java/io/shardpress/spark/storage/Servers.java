package io.shardpress.spark.storage;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests an {@link HdfsCluster} and an {@link S3Server}, started once for all classes. */
final class Servers implements ParameterResolver {
  private static final Namespace OURS = Namespace.create(Servers.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == HdfsCluster.class || type == S3Server.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    quiet();
    ExtensionContext.Store store = context.getRoot().getStore(OURS);
    return parameter.getParameter().getType() == HdfsCluster.class
        ? store.computeIfAbsent("hdfs", name -> HdfsCluster.start(), HdfsCluster.class)
        : store.computeIfAbsent("s3", name -> S3Server.start(), S3Server.class);
  }

  /** Servers tell of every file that is not there, and of being stopped. */
  static void quiet() {
    Configurator.setLevel("com.robothy", Level.OFF);
    Configurator.setLevel("io.netty.util.ResourceLeakDetector", Level.OFF);
    Configurator.setLevel("org.apache.hadoop.hdfs", Level.OFF);
    Configurator.setLevel("org.apache.hadoop.security.authentication", Level.OFF);
  }
}
