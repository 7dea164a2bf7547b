package io.shardpress.spark.job;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.serializers.JavaSerializer;
import io.shardpress.spark.evaluate.EvaluateClasses;
import io.shardpress.spark.publish.PublishClasses;
import io.shardpress.spark.unit.CheckPartsTask;
import io.shardpress.spark.unit.CheckShardTask;
import io.shardpress.spark.unit.ScaleStart;
import io.shardpress.spark.unit.ScaleTask;
import java.util.List;
import org.apache.spark.serializer.KryoRegistrator;

/**
 * Everything of ours that crosses Spark. Kryo 4 cannot set the fields of records, so records go as
 * Java objects; they are descriptors of a few kilobytes.
 */
public final class ShardpressRegistrator implements KryoRegistrator {
  private static final List<Class<?>> RECORDS =
      List.of(
          TaskAnswer.class,
          TaskRunner.MakeParts.class,
          CheckShardTask.class,
          CheckPartsTask.class,
          ScaleStart.class,
          ScaleTask.class);

  @Override
  public void registerClasses(Kryo kryo) {
    RECORDS.forEach(type -> kryo.register(type, new JavaSerializer()));
    PublishClasses.ALL.forEach(type -> kryo.register(type, new JavaSerializer()));
    EvaluateClasses.ALL.forEach(type -> kryo.register(type, new JavaSerializer()));
    kryo.register(Object[].class);
    kryo.register(TaskAnswer[].class);
  }
}
