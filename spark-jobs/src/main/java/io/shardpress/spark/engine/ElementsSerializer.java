package io.shardpress.spark.engine;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.serializers.DefaultArraySerializers;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Carries what holds elements: how many, then each, in the order of iteration. They come back in
 * that order, unmodifiable and equal, though not of the same class.
 */
final class ElementsSerializer extends Serializer<Object> {
  private static final Map<Class<?>, Serializer<?>> PRIMITIVES =
      Map.of(
          boolean.class, new DefaultArraySerializers.BooleanArraySerializer(),
          byte.class, new DefaultArraySerializers.ByteArraySerializer(),
          short.class, new DefaultArraySerializers.ShortArraySerializer(),
          char.class, new DefaultArraySerializers.CharArraySerializer(),
          int.class, new DefaultArraySerializers.IntArraySerializer(),
          long.class, new DefaultArraySerializers.LongArraySerializer(),
          float.class, new DefaultArraySerializers.FloatArraySerializer(),
          double.class, new DefaultArraySerializers.DoubleArraySerializer());

  private final Function<Object, Object[]> elements;
  private final Function<Object[], Object> container;
  private final Codec[] codecs;

  /**
   * @param codecs of the elements, in turn: one, or one for keys and one for values
   */
  private ElementsSerializer(
      Function<Object, Object[]> elements, Function<Object[], Object> container, Codec... codecs) {
    super(false, true);
    this.elements = elements;
    this.container = container;
    this.codecs = codecs;
  }

  /**
   * The serializer of a type that holds elements; none for other types.
   *
   * @param arguments of the type; none where elements can be anything
   * @param where such as "BlockSpec.linears", for messages
   */
  static Optional<Serializer<?>> find(Class<?> type, Type[] arguments, String where) {
    if (type.isArray()) {
      return Optional.of(ofArray(type.getComponentType(), where));
    }
    Codec first = codec(arguments, 0, where);
    if (type == List.class || type == Collection.class) {
      return Optional.of(
          new ElementsSerializer(
              value -> ((Collection<?>) value).toArray(), all -> Stream.of(all).toList(), first));
    }
    if (type == Set.class) {
      return Optional.of(
          new ElementsSerializer(
              value -> ((Collection<?>) value).toArray(),
              all -> Collections.unmodifiableSet(new LinkedHashSet<>(Arrays.asList(all))),
              first));
    }
    if (type == SortedSet.class || type == NavigableSet.class) {
      return Optional.of(
          new ElementsSerializer(
              value ->
                  natural(((SortedSet<?>) value).comparator(), where, (SortedSet<?>) value)
                      .toArray(),
              all -> Collections.unmodifiableNavigableSet(new TreeSet<>(Arrays.asList(all))),
              first));
    }
    Codec second = codec(arguments, 1, where);
    if (type == Map.class) {
      return Optional.of(
          new ElementsSerializer(
              value -> keysAndValues((Map<?, ?>) value),
              all -> Collections.unmodifiableMap(fill(new LinkedHashMap<>(), all)),
              first,
              second));
    }
    if (type == SortedMap.class || type == NavigableMap.class) {
      return Optional.of(
          new ElementsSerializer(
              value ->
                  keysAndValues(
                      natural(
                          ((SortedMap<?, ?>) value).comparator(), where, (SortedMap<?, ?>) value)),
              all -> Collections.unmodifiableNavigableMap(fill(new TreeMap<>(), all)),
              first,
              second));
    }
    if (type == Optional.class) {
      return Optional.of(
          new ElementsSerializer(
              value -> ((Optional<?>) value).stream().toArray(),
              all -> Stream.of(all).findFirst(),
              first));
    }
    return Optional.empty();
  }

  /** The serializer of arrays, whose elements' type is that of the array. */
  private static Serializer<?> ofArray(Class<?> component, String where) {
    Serializer<?> primitives = PRIMITIVES.get(component);
    return primitives != null
        ? primitives
        : new ElementsSerializer(
            Object[].class::cast,
            all -> Arrays.copyOf(all, all.length, arrayOf(component)),
            Codecs.of(component, where));
  }

  @SuppressWarnings("unchecked") // an array of any class but a primitive one is an Object[]
  private static Class<? extends Object[]> arrayOf(Class<?> component) {
    return (Class<? extends Object[]>) component.arrayType();
  }

  private static Codec codec(Type[] arguments, int place, String where) {
    return place < arguments.length ? Codecs.of(arguments[place], where) : Codecs.ofOpen(where);
  }

  /** What is sorted, if by its elements' own order: a comparator does not cross. */
  private static <T> T natural(Comparator<?> comparator, String where, T sorted) {
    if (comparator != null) {
      throw new IllegalArgumentException(
          where + " is sorted by a comparator, which cannot cross Spark: declare it a Set or Map");
    }
    return sorted;
  }

  private static Object[] keysAndValues(Map<?, ?> map) {
    return map.entrySet().stream()
        .flatMap(entry -> Stream.of(entry.getKey(), entry.getValue()))
        .toArray();
  }

  private static <M extends Map<Object, Object>> M fill(M map, Object[] keysAndValues) {
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }

  @Override
  public void write(Kryo kryo, Output output, Object value) {
    Object[] all = elements.apply(value);
    output.writeInt(all.length, true);
    for (int i = 0; i < all.length; i++) {
      codecs[i % codecs.length].write(kryo, output, all[i]);
    }
  }

  @Override
  public Object read(Kryo kryo, Input input, Class<Object> type) {
    Object[] all = new Object[input.readInt(true)];
    for (int i = 0; i < all.length; i++) {
      all[i] = codecs[i % codecs.length].read(kryo, input);
    }
    return container.apply(all);
  }
}
