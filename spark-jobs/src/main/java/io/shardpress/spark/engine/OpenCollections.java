package io.shardpress.spark.engine;

import com.esotericsoftware.kryo.Kryo;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * The JDK's collections where a component's type does not tell which one stands there, such as a
 * task's answer. Most of their classes have no name that could be written down here.
 */
final class OpenCollections {
  private static final List<Object> LISTS =
      List.of(
          List.of(),
          List.of(1),
          Arrays.asList(1),
          Collections.emptyList(),
          Collections.singletonList(1),
          Collections.unmodifiableList(new ArrayList<>()),
          Collections.unmodifiableList(new LinkedList<>()));

  private static final List<Object> SETS =
      List.of(
          Set.of(),
          Set.of(1),
          Collections.emptySet(),
          Collections.singleton(1),
          Collections.unmodifiableSet(new HashSet<>()),
          Collections.unmodifiableSortedSet(new TreeSet<>()),
          Collections.unmodifiableNavigableSet(new TreeSet<>()),
          EnumSet.noneOf(TimeUnit.class));

  private static final List<Object> MAPS =
      List.of(
          Map.of(),
          Map.of(1, 1),
          Collections.emptyMap(),
          Collections.singletonMap(1, 1),
          Collections.unmodifiableMap(new HashMap<>()),
          Collections.unmodifiableSortedMap(new TreeMap<>()),
          Collections.unmodifiableNavigableMap(new TreeMap<>()),
          new EnumMap<>(TimeUnit.class));

  // Kryo has serializers for these, which leave them modifiable.
  private static final List<Class<?>> OF_KRYO =
      List.of(
          ArrayList.class,
          LinkedList.class,
          HashSet.class,
          LinkedHashSet.class,
          TreeSet.class,
          HashMap.class,
          LinkedHashMap.class,
          TreeMap.class);

  private OpenCollections() {}

  /** Registers those that are not, always in the same order. */
  static void register(Kryo kryo) {
    register(kryo, LISTS, List.class);
    register(kryo, SETS, Set.class);
    register(kryo, MAPS, Map.class);
    register(kryo, List.of(Optional.empty()), Optional.class);
    for (Class<?> type : OF_KRYO) {
      if (isNew(kryo, type)) {
        kryo.register(type);
      }
    }
  }

  private static void register(Kryo kryo, List<Object> examples, Class<?> as) {
    for (Object example : examples) {
      Class<?> type = example.getClass();
      if (isNew(kryo, type)) {
        ElementsSerializer.find(as, new Type[0], type.getName())
            .ifPresent(serializer -> kryo.register(type, serializer));
      }
    }
  }

  private static boolean isNew(Kryo kryo, Class<?> type) {
    return kryo.getClassResolver().getRegistration(type) == null;
  }
}
