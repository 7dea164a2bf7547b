package io.shardpress.spark.engine;

import io.shardpress.spark.io.Location;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Finds the ways to change a value in one place.
 *
 * @param any makes the other values
 */
@SuppressWarnings("OperatorPrecedence")
record Changes(AnyRecord any) {
  // Values to try: many where one of them costs nothing.
  private static final int MANY = 40;
  private static final int FEW = 3;

  /** Another value in one place: several, since constructors may not accept the first. */
  record Change(String path, boolean location, List<Object> candidates) {
    Change within(String outer, boolean outerLocation, Function<Object, Object> rebuild) {
      List<Object> rebuilt = new ArrayList<>();
      for (Object candidate : candidates) {
        try {
          rebuilt.add(rebuild.apply(candidate));
        } catch (RuntimeException refused) {
          // The next candidate may do.
        }
      }
      return new Change(outer + path, location || outerLocation, rebuilt);
    }
  }

  List<Change> ofRecord(Object record) {
    RecordComponent[] components = record.getClass().getRecordComponents();
    Object[] values = Arrays.stream(components).map(one -> get(record, one)).toArray();
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      int place = i;
      boolean location = components[i].isAnnotationPresent(Location.class);
      for (Change change : of(values[i], components[i].getGenericType())) {
        changes.add(
            change.within(
                "." + components[i].getName(),
                location,
                value -> {
                  Object[] changed = values.clone();
                  changed[place] = value;
                  return AnyRecord.make(record.getClass(), changed);
                }));
      }
    }
    return changes;
  }

  private List<Change> of(Object value, Type type) {
    Type[] of = type instanceof ParameterizedType generic ? generic.getActualTypeArguments() : null;
    if (value instanceof Record) {
      return Stream.concat(ofRecord(value).stream(), ofClass(value, type).stream()).toList();
    }
    if (value instanceof Optional<?> optional && optional.isPresent()) {
      return within(of(optional.get(), of[0]), ".value", Optional::of);
    }
    if (value instanceof Map<?, ?> map && !map.isEmpty()) {
      return ofMap(map, of);
    }
    if (value instanceof Set<?> set && !set.isEmpty()) {
      return ofSet(set, of[0]);
    }
    if (value instanceof List<?> list && !list.isEmpty()) {
      return ofList(list, of[0], changed -> changed);
    }
    if (value != null && value.getClass().isArray() && Array.getLength(value) > 0) {
      Class<?> component = value.getClass().getComponentType();
      List<Object> elements =
          IntStream.range(0, Array.getLength(value)).mapToObj(i -> Array.get(value, i)).toList();
      return ofList(elements, component, changed -> array(component, changed));
    }
    Type kind = value == null || Codecs.raw(type).isPrimitive() ? type : leafType(value, type);
    return List.of(new Change("", false, others(value, kind)));
  }

  /** A value of an open type becomes one of another class. */
  private List<Change> ofClass(Object value, Type type) {
    List<Object> others = new ArrayList<>();
    any.choices(Codecs.raw(type)).stream()
        .filter(choice -> choice != value.getClass() && choice.isRecord())
        .limit(FEW)
        .forEach(choice -> others.add(any.of(choice)));
    return others.isEmpty() ? List.of() : List.of(new Change(".class", false, others));
  }

  private List<Change> ofList(
      List<?> list, Type element, Function<List<Object>, Object> container) {
    List<Change> changes = new ArrayList<>();
    changes.addAll(
        within(
            of(list.get(0), element),
            "[first]",
            value -> {
              List<Object> changed = new ArrayList<>(list);
              changed.set(0, value);
              return container.apply(changed);
            }));
    List<Object> shorter = new ArrayList<>(list.subList(0, list.size() - 1));
    List<Object> longer = new ArrayList<>(list);
    longer.add(list.get(0));
    changes.add(
        new Change(".size", false, List.of(container.apply(shorter), container.apply(longer))));
    int last = list.size() - 1;
    if (!Objects.deepEquals(list.get(0), list.get(last))) {
      List<Object> swapped = new ArrayList<>(list);
      swapped.set(0, list.get(last));
      swapped.set(last, list.get(0));
      changes.add(new Change(".order", false, List.of(container.apply(swapped))));
    }
    return changes;
  }

  private List<Change> ofSet(Set<?> set, Type element) {
    Object first = set.iterator().next();
    Set<Object> smaller = new LinkedHashSet<>(set);
    smaller.remove(first);
    List<Change> changes =
        new ArrayList<>(
            within(
                of(first, element),
                "[first]",
                value -> {
                  Set<Object> changed = new LinkedHashSet<>(smaller);
                  if (set.contains(value) || !changed.add(value)) {
                    throw new IllegalArgumentException("that is there already");
                  }
                  return changed;
                }));
    changes.add(new Change(".size", false, List.of(smaller)));
    return changes;
  }

  private List<Change> ofMap(Map<?, ?> map, Type[] of) {
    Object first = map.keySet().iterator().next();
    List<Change> changes =
        new ArrayList<>(
            within(
                of(map.get(first), of[1]),
                "[first]",
                value -> {
                  Map<Object, Object> changed = copy(map);
                  changed.put(first, value);
                  return changed;
                }));
    changes.addAll(
        within(
            of(first, of[0]),
            "[key]",
            key -> {
              Map<Object, Object> changed = copy(map);
              Object value = changed.remove(first);
              if (map.containsKey(key)) {
                throw new IllegalArgumentException("that is there already");
              }
              changed.put(key, value);
              return changed;
            }));
    Map<Object, Object> smaller = copy(map);
    smaller.remove(first);
    changes.add(new Change(".size", false, List.of(smaller)));
    return changes;
  }

  private static Map<Object, Object> copy(Map<?, ?> map) {
    return map instanceof SortedMap<?, ?> ? new TreeMap<>(map) : new LinkedHashMap<>(map);
  }

  /** Other values for one that holds none, or is empty or null. */
  private List<Object> others(Object value, Type type) {
    List<Object> others = new ArrayList<>();
    Class<?> raw = Codecs.raw(type);
    int wanted = raw.isPrimitive() || raw.isEnum() || raw == String.class ? MANY : FEW;
    for (int i = 0; i < 10 * wanted && others.size() < wanted; i++) {
      Object other = any.value(type);
      if (other != null && !other.equals(value) && !isEmpty(other)) {
        others.add(other);
      }
    }
    return others;
  }

  private static boolean isEmpty(Object value) {
    return value instanceof Collection<?> collection && collection.isEmpty()
        || value instanceof Map<?, ?> map && map.isEmpty()
        || value instanceof Optional<?> optional && optional.isEmpty()
        || value.getClass().isArray() && Array.getLength(value) == 0;
  }

  private static Type leafType(Object value, Type type) {
    Class<?> raw = Codecs.raw(type);
    return raw == Object.class || raw.isInterface() && type == raw ? value.getClass() : type;
  }

  private static List<Change> within(
      List<Change> changes, String path, Function<Object, Object> rebuild) {
    return changes.stream().map(change -> change.within(path, false, rebuild)).toList();
  }

  private static Object array(Class<?> component, List<Object> elements) {
    Object array = Array.newInstance(component, elements.size());
    for (int i = 0; i < elements.size(); i++) {
      Array.set(array, i, elements.get(i));
    }
    return array;
  }

  private static Object get(Object record, RecordComponent component) {
    Method accessor = component.getAccessor();
    accessor.setAccessible(true);
    try {
      return accessor.invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
