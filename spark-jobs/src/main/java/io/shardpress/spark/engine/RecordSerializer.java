package io.shardpress.spark.engine;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.List;

/**
 * Carries records of a class by their components, and makes them anew by the canonical constructor:
 * Kryo 4 cannot set the fields of records.
 */
final class RecordSerializer extends Serializer<Object> {
  private static final ClassValue<RecordSerializer> KNOWN =
      new ClassValue<>() {
        @Override
        protected RecordSerializer computeValue(Class<?> type) {
          return new RecordSerializer(RecordComponents.of(type));
        }
      };

  private final RecordComponents components;
  private final List<Codec> codecs;

  private RecordSerializer(RecordComponents components) {
    super(false, true);
    this.components = components;
    this.codecs =
        components.list().stream()
            .map(
                component ->
                    Codecs.of(component.type(), components.name() + "." + component.name()))
            .toList();
  }

  /**
   * The serializer of a record class.
   *
   * @throws IllegalArgumentException where it is another class
   */
  static RecordSerializer of(Class<?> type) {
    return KNOWN.get(type);
  }

  @Override
  public void write(Kryo kryo, Output output, Object record) {
    for (int i = 0; i < codecs.size(); i++) {
      codecs.get(i).write(kryo, output, components.list().get(i).of(record));
    }
  }

  @Override
  public Object read(Kryo kryo, Input input, Class<Object> type) {
    Object[] values = new Object[codecs.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = codecs.get(i).read(kryo, input);
    }
    return components.newInstance(values);
  }
}
