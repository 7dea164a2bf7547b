package io.shardpress.spark.engine;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;

/**
 * How values of one static type cross Spark. What the type tells is not written: a class goes with
 * a value only where the type is open.
 */
interface Codec {
  void write(Kryo kryo, Output output, Object value);

  Object read(Kryo kryo, Input input);
}
