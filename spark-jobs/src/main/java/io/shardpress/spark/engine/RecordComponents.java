package io.shardpress.spark.engine;

import io.shardpress.spark.io.Location;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;

/**
 * A record class taken apart: what names of parts and what crosses Spark are both made from. Works
 * for private records, too.
 */
final class RecordComponents {
  private static final MethodType OF_ARRAY = MethodType.methodType(Object.class, Object[].class);
  private static final MethodType OF_OBJECT = MethodType.methodType(Object.class, Object.class);

  private static final ClassValue<RecordComponents> KNOWN =
      new ClassValue<>() {
        @Override
        protected RecordComponents computeValue(Class<?> type) {
          return new RecordComponents(type);
        }
      };

  private final Class<?> type;
  private final String name;
  private final List<Component> components;
  private final MethodHandle constructor;

  /**
   * A component.
   *
   * @param type with its type arguments
   * @param location whether it says where something lies, not what it holds
   */
  record Component(String name, Type type, boolean location, MethodHandle accessor) {
    /** Its value in {@code record}. */
    Object of(Object record) {
      try {
        return (Object) accessor.invokeExact(record);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    }
  }

  /**
   * The components of a record class.
   *
   * @throws IllegalArgumentException where it is another class
   */
  static RecordComponents of(Class<?> type) {
    return KNOWN.get(type);
  }

  private RecordComponents(Class<?> type) {
    if (!type.isRecord()) {
      throw new IllegalArgumentException(type.getName() + " is no record");
    }
    this.type = type;
    this.name = nameOf(type);
    RecordComponent[] declared = type.getRecordComponents();
    this.components = Arrays.stream(declared).map(RecordComponents::component).toList();
    this.constructor = constructor(type, declared);
  }

  /** The name of a class without its package, with the classes that it is nested in. */
  static String nameOf(Class<?> type) {
    String name = type.getTypeName();
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** As {@link #nameOf} gives it. */
  String name() {
    return name;
  }

  /** In the order of their declaration. */
  List<Component> list() {
    return components;
  }

  /**
   * A record of these components, by the canonical constructor.
   *
   * @param values one for each component, in order
   * @throws RuntimeException what the constructor throws
   */
  Object newInstance(Object[] values) {
    try {
      return (Object) constructor.invokeExact(values);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  @Override
  public String toString() {
    return type.getName() + components.stream().map(Component::name).toList();
  }

  private static Component component(RecordComponent declared) {
    Method accessor = declared.getAccessor();
    accessor.setAccessible(true);
    try {
      return new Component(
          declared.getName(),
          declared.getGenericType(),
          declared.isAnnotationPresent(Location.class),
          MethodHandles.lookup().unreflect(accessor).asType(OF_OBJECT));
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(accessor + " was made accessible", e);
    }
  }

  private static MethodHandle constructor(Class<?> type, RecordComponent[] components) {
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      Constructor<?> canonical = type.getDeclaredConstructor(types);
      canonical.setAccessible(true);
      return MethodHandles.lookup()
          .unreflectConstructor(canonical)
          .asType(MethodType.genericMethodType(types.length))
          .asSpreader(Object[].class, types.length)
          .asType(OF_ARRAY);
    } catch (NoSuchMethodException | IllegalAccessException e) {
      throw new IllegalStateException("every record has a canonical constructor: " + type, e);
    }
  }

  private static RuntimeException unchecked(Throwable e) {
    if (e instanceof RuntimeException unchecked) {
      return unchecked;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException(e);
  }
}
