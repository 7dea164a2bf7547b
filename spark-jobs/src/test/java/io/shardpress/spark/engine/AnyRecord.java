package io.shardpress.spark.engine;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Makes records of any class out of random components, of those that its constructor accepts; what
 * it accepts is found by trying. Where that is hopeless, {@link #with} says how values are made.
 */
@SuppressWarnings({"JdkObsolete", "OperatorPrecedence"})
public final class AnyRecord {
  private static final int TRIES = 1000;
  // From so many values within values on, collections are empty and interfaces' components null.
  private static final int DEEPEST = 3;
  private static final int NULL_EVERY = 12;
  private static final String[] TEXTS = {
    "", "a", "model.layers.3.mlp", "a,b=c}", "\"3:abc\"", "ß→𝄞", "null", "1", "\n", "é", "e\u0301"
  };

  private final Random random;
  private final List<Class<?>> implementations;
  private final Map<Class<?>, Function<Random, ?>> makers = new HashMap<>();

  /**
   * @param implementations what may stand where the type is an interface
   */
  public AnyRecord(long seed, Collection<? extends Class<?>> implementations) {
    this.random = new Random(seed);
    this.implementations = List.copyOf(implementations);
  }

  /** Has values of a class made by {@code maker}. */
  public <T> AnyRecord with(Class<T> type, Function<Random, ? extends T> maker) {
    makers.put(type, maker);
    return this;
  }

  /** A record with random components. */
  public <T> T of(Class<T> type) {
    return type.cast(record(type, 0));
  }

  /**
   * Copies of a record, each with another value in one of its components, or of those of what it
   * holds.
   */
  public RecordVariants variants(Record record) {
    return RecordVariants.of(record, this);
  }

  /** A random value of a type; null now and then where that is possible. */
  Object value(Type type) {
    return value(type, 0);
  }

  Random random() {
    return random;
  }

  /** What can stand where a class is asked for. */
  List<Class<?>> choices(Class<?> type) {
    if (type.isSealed() && !type.isEnum()) {
      return List.of(type.getPermittedSubclasses());
    }
    return implementations.stream()
        .filter(found -> type != Object.class && type.isAssignableFrom(found))
        .toList();
  }

  private Object value(Type type, int depth) {
    Class<?> raw = Codecs.raw(type);
    if (!raw.isPrimitive() && random.nextInt(NULL_EVERY) == 0) {
      return null;
    }
    if (makers.containsKey(raw)) {
      return makers.get(raw).apply(random);
    }
    if (raw.isEnum()) {
      return any(List.of(raw.getEnumConstants()));
    }
    if (raw.isRecord()) {
      return record(raw, depth);
    }
    if (raw.isArray()) {
      Object array = Array.newInstance(raw.getComponentType(), size(depth));
      for (int i = 0; i < Array.getLength(array); i++) {
        Array.set(array, i, value(raw.getComponentType(), depth + 1));
      }
      return array;
    }
    return container(raw, type, depth)
        .or(() -> scalar(raw))
        .orElseGet(() -> implementation(raw, depth));
  }

  private Object implementation(Class<?> type, int depth) {
    List<Class<?>> choices = choices(type);
    if (choices.isEmpty() && type.isAssignableFrom(String.class)) {
      return any(List.of(TEXTS));
    }
    if (choices.isEmpty()) {
      throw new IllegalArgumentException("no way to make a " + type.getTypeName());
    }
    return depth < DEEPEST && (depth == 0 || chance()) ? value(any(choices), depth) : null;
  }

  private Object record(Class<?> type, int depth) {
    RecordComponent[] components = type.getRecordComponents();
    RuntimeException last = null;
    for (int i = 0; i < TRIES; i++) {
      Object[] values =
          Arrays.stream(components)
              .map(component -> value(component.getGenericType(), depth + 1))
              .toArray();
      if (Comparable.class.isAssignableFrom(type) && Arrays.asList(values).contains(null)) {
        // What is sorted has all that it is sorted by.
        continue;
      }
      try {
        return make(type, values);
      } catch (RuntimeException e) {
        last = e;
      }
    }
    throw new IllegalStateException("no components found that " + type + " accepts", last);
  }

  /**
   * A record of these components.
   *
   * @throws RuntimeException where the constructor does not accept them
   */
  static Object make(Class<?> type, Object[] values) {
    Class<?>[] types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new IllegalArgumentException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private Optional<Object> container(Class<?> raw, Type type, int depth) {
    Type[] of = type instanceof ParameterizedType generic ? generic.getActualTypeArguments() : null;
    if (raw == Optional.class) {
      return Optional.of(Optional.ofNullable(value(of[0], depth + 1)));
    }
    if (Map.class.isAssignableFrom(raw)) {
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = size(depth); i > 0; i--) {
        map.put(present(of[0], depth), value(of[1], depth + 1));
      }
      return Optional.of(map(raw, map));
    }
    if (Collection.class.isAssignableFrom(raw)) {
      List<Object> list = new ArrayList<>();
      for (int i = size(depth); i > 0; i--) {
        list.add(present(of[0], depth));
      }
      return Optional.of(
          List.class.isAssignableFrom(raw) || raw == Collection.class
              ? list(list)
              : set(raw, list));
    }
    return Optional.empty();
  }

  private List<Object> list(List<Object> elements) {
    return switch (random.nextInt(4)) {
      case 0 -> List.copyOf(elements);
      case 1 -> new LinkedList<>(elements);
      case 2 -> Collections.unmodifiableList(elements);
      default -> elements;
    };
  }

  private Set<Object> set(Class<?> raw, List<Object> elements) {
    Set<Object> set = new LinkedHashSet<>(elements);
    if (SortedSet.class.isAssignableFrom(raw) || chance() && sorts(set)) {
      return new TreeSet<>(set);
    }
    return chance() ? Set.copyOf(set) : new HashSet<>(set);
  }

  private Map<Object, Object> map(Class<?> raw, Map<Object, Object> map) {
    if (SortedMap.class.isAssignableFrom(raw) || chance() && sorts(map.keySet())) {
      return new TreeMap<>(map);
    }
    return chance() ? Collections.unmodifiableMap(map) : map;
  }

  private static boolean sorts(Set<Object> elements) {
    try {
      return new TreeSet<>(elements).size() == elements.size();
    } catch (ClassCastException | NullPointerException e) {
      return false;
    }
  }

  private Object present(Type type, int depth) {
    Object value = null;
    while (value == null) {
      value = value(type, depth + 1);
    }
    return value;
  }

  private Optional<Object> scalar(Class<?> type) {
    int small = random.nextInt(9);
    Object value = null;
    if (type == String.class) {
      value = chance() ? any(List.of(TEXTS)) : Long.toString(random.nextLong(), 36);
    } else if (type == boolean.class || type == Boolean.class) {
      value = chance();
    } else if (type == byte.class || type == Byte.class) {
      value = (byte) random.nextInt();
    } else if (type == short.class || type == Short.class) {
      value = (short) random.nextInt();
    } else if (type == char.class || type == Character.class) {
      value = (char) random.nextInt();
    } else if (type == int.class || type == Integer.class) {
      value = random.nextInt(4) > 0 ? small : random.nextInt();
    } else if (type == long.class || type == Long.class) {
      value = random.nextInt(4) > 0 ? small : random.nextLong();
    } else if (type == float.class || type == Float.class) {
      value = any(List.of(0f, -0f, 1f / 3, Float.NaN, Float.MIN_VALUE, random.nextFloat()));
    } else if (type == double.class || type == Double.class) {
      value = any(List.of(0d, -0d, 1d / 3, 1e300, Double.NEGATIVE_INFINITY, random.nextDouble()));
    }
    return Optional.ofNullable(value);
  }

  private int size(int depth) {
    // Elements are one deeper, and are not null.
    return depth + 1 < DEEPEST ? random.nextInt(4) : 0;
  }

  private boolean chance() {
    return random.nextBoolean();
  }

  private <E> E any(List<E> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
