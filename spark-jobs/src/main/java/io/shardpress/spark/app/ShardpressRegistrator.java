package io.shardpress.spark.app;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.serializers.JavaSerializer;
import io.shardpress.spark.engine.CheckParts;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.TaskAnswer;
import io.shardpress.spark.evaluate.EvaluateTask;
import io.shardpress.spark.learn.scales.ScaleStart;
import io.shardpress.spark.learn.scales.ScaleTask;
import io.shardpress.spark.learn.transform.CheckShard;
import io.shardpress.spark.output.PublishTask;
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
          StepRunner.MakeParts.class,
          CheckShard.class,
          CheckParts.class,
          PublishTask.class,
          EvaluateTask.class,
          ScaleStart.class,
          ScaleTask.class);

  @Override
  public void registerClasses(Kryo kryo) {
    RECORDS.forEach(type -> kryo.register(type, new JavaSerializer()));
    kryo.register(Object[].class);
    kryo.register(TaskAnswer[].class);
  }
}
