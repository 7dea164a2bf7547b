package io.shardpress.spark.engine;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** The codec of each type that a record's component can have. */
final class Codecs {
  // Types that nothing extends, which Kryo itself knows.
  private static final List<Class<?>> CLOSED =
      List.of(
          String.class,
          Boolean.class,
          Byte.class,
          Short.class,
          Character.class,
          Integer.class,
          Long.class,
          Float.class,
          Double.class);

  private static final Map<Class<?>, Codec> PRIMITIVES =
      Map.of(
          boolean.class,
          plain((output, value) -> output.writeBoolean((Boolean) value), Input::readBoolean),
          byte.class,
          plain((output, value) -> output.writeByte((Byte) value), Input::readByte),
          short.class,
          plain((output, value) -> output.writeShort((Short) value), Input::readShort),
          char.class,
          plain((output, value) -> output.writeChar((Character) value), Input::readChar),
          int.class,
          plain((output, value) -> output.writeInt((Integer) value), Input::readInt),
          long.class,
          plain((output, value) -> output.writeLong((Long) value), Input::readLong),
          float.class,
          plain((output, value) -> output.writeFloat((Float) value), Input::readFloat),
          double.class,
          plain((output, value) -> output.writeDouble((Double) value), Input::readDouble));

  private Codecs() {}

  /**
   * The codec of a type.
   *
   * @param where such as "RowTile.start", for messages
   */
  static Codec of(Type type, String where) {
    Class<?> raw = raw(type);
    if (raw.isPrimitive()) {
      return PRIMITIVES.get(raw);
    }
    if (raw.isEnum()) {
      return ofEnum(raw.getEnumConstants());
    }
    if (isClosed(raw)) {
      return ofClosed(raw);
    }
    Type[] arguments =
        type instanceof ParameterizedType generic ? generic.getActualTypeArguments() : new Type[0];
    return ElementsSerializer.find(raw, arguments, where)
        .map(elements -> ofElements(raw, elements))
        .orElseGet(() -> ofOpen(where));
  }

  /** The class of values of a type, as far as it is known. */
  static Class<?> raw(Type type) {
    if (type instanceof Class<?> known) {
      return known;
    }
    if (type instanceof ParameterizedType generic) {
      return (Class<?>) generic.getRawType();
    }
    if (type instanceof GenericArrayType array) {
      return raw(array.getGenericComponentType()).arrayType();
    }
    if (type instanceof WildcardType wildcard) {
      return raw(wildcard.getUpperBounds()[0]);
    }
    return raw(((TypeVariable<?>) type).getBounds()[0]);
  }

  /** Whether values of a class need no class beside them, and are no collection. */
  static boolean isClosed(Class<?> type) {
    return type.isRecord() || CLOSED.contains(type);
  }

  /** Values whose class goes with them. */
  static Codec ofOpen(String where) {
    return new Codec() {
      @Override
      public void write(Kryo kryo, Output output, Object value) {
        if (value != null) {
          checkRegistered(kryo, value.getClass(), where);
        }
        kryo.writeClassAndObject(output, value);
      }

      @Override
      public Object read(Kryo kryo, Input input) {
        return kryo.readClassAndObject(input);
      }
    };
  }

  private static void checkRegistered(Kryo kryo, Class<?> type, String where) {
    try {
      kryo.getRegistration(type);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          where
              + " holds a "
              + type.getTypeName()
              + ", which is not registered to cross Spark: add it to the roots that its room names",
          e);
    }
  }

  private static Codec ofClosed(Class<?> type) {
    return new Codec() {
      @Override
      public void write(Kryo kryo, Output output, Object value) {
        kryo.writeObjectOrNull(output, value, type);
      }

      @Override
      public Object read(Kryo kryo, Input input) {
        return kryo.readObjectOrNull(input, type);
      }
    };
  }

  private static Codec ofElements(Class<?> type, Serializer<?> elements) {
    return new Codec() {
      @Override
      public void write(Kryo kryo, Output output, Object value) {
        kryo.writeObjectOrNull(output, value, elements);
      }

      @Override
      public Object read(Kryo kryo, Input input) {
        return kryo.readObjectOrNull(input, type, elements);
      }
    };
  }

  /** Constants by their place from 1 on, 0 for null: both sides run the same jar. */
  @SuppressWarnings("EnumOrdinal") // as the comment says
  private static Codec ofEnum(Object[] constants) {
    return plain(
        (output, value) ->
            output.writeInt(value == null ? 0 : 1 + ((Enum<?>) value).ordinal(), true),
        input -> {
          int place = input.readInt(true);
          return place == 0 ? null : constants[place - 1];
        });
  }

  private static Codec plain(BiConsumer<Output, Object> writer, Function<Input, Object> reader) {
    return new Codec() {
      @Override
      public void write(Kryo kryo, Output output, Object value) {
        writer.accept(output, value);
      }

      @Override
      public Object read(Kryo kryo, Input input) {
        return reader.apply(input);
      }
    };
  }
}
