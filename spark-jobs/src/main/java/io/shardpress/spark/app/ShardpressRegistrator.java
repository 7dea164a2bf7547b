package io.shardpress.spark.app;

import com.esotericsoftware.kryo.Kryo;
import io.shardpress.spark.engine.Crossing;
import io.shardpress.spark.engine.CrossingClasses;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import org.apache.spark.serializer.KryoRegistrator;

/** Registers everything that crosses Spark, by components of records. */
public final class ShardpressRegistrator implements KryoRegistrator {
  @Override
  public void registerClasses(Kryo kryo) {
    crossing().register(kryo);
  }

  /** All classes that cross, in an order that is the same in every process. */
  static Crossing crossing() {
    List<CrossingClasses> all = new ArrayList<>();
    ServiceLoader.load(CrossingClasses.class, ShardpressRegistrator.class.getClassLoader())
        .forEach(all::add);
    all.sort(Comparator.comparing(one -> one.getClass().getName()));
    return Crossing.of(all.stream().flatMap(one -> one.roots().stream()).toList());
  }
}
