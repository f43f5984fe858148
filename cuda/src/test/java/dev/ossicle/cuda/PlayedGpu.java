package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * A GPU for tests: device, stream and kernels, with arrays in and out. It is the played one, whose library is compiled once
 * for each state of the sources (target/play), or with {@code -Pgpu} this machine's own, with the fatbin's kernels.
 */
final class PlayedGpu implements AutoCloseable {
    private static final Path MODULE = Files.isDirectory(Path.of("src/main/cuda")) ? Path.of("") : Path.of("cuda");

    /** Whether tests run on a real GPU. */
    static final boolean REAL = Boolean.getBoolean("ossicle.test.gpu");

    final Device device;
    final Stream stream;
    final Kernels kernels;
    private final Map<String, Kernel> byName = new HashMap<>();
    private final List<DeviceMemory> memories = new ArrayList<>();

    private PlayedGpu(Device device) {
        this.device = device;
        this.stream = Stream.create(device);
        this.kernels = REAL ? Kernels.load(device) : Kernels.load(device, new byte[16]);
    }

    /** Skips the test, with the reason, where there is no g++. */
    static PlayedGpu open() {
        return new PlayedGpu(Device.open(driver(), 0));
    }

    /** The played driver, which from now on is found, or the real one. */
    static Driver driver() {
        if (!REAL) {
            System.setProperty(Driver.PROPERTY, library().toAbsolutePath().toString());
        }
        return switch (Driver.find()) {
            case Driver.Found.Usable usable -> usable.driver();
            case Driver.Found.Absent absent -> throw new AssertionError(absent.reason());
        };
    }

    /** Skips a test that asks what a real GPU does not tell. */
    static void onlyPlayed() {
        Assumptions.assumeFalse(REAL, "skipped: for the played GPU");
    }

    /** A setting of the played driver (see driver.cpp): "capability", "memory", "seed", ...; "reset" undoes all. */
    static void set(Driver driver, String name, long value) {
        onlyPlayed();
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) Linker.nativeLinker()
                    .downcallHandle(
                            driver.symbol("played_set").orElseThrow(),
                            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG))
                    .invokeExact(arena.allocateFrom(name), value);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** A figure of the played driver: "launches", "allocations", "used" (bytes), "pinned". */
    static long get(Driver driver, String name) {
        onlyPlayed();
        try (Arena arena = Arena.ofConfined()) {
            return (long) Linker.nativeLinker()
                    .downcallHandle(
                            driver.symbol("played_get").orElseThrow(), FunctionDescriptor.of(JAVA_LONG, ADDRESS))
                    .invokeExact(arena.allocateFrom(name));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Memory that was never written: NaN in every float, bf16 and fp16. */
    DeviceMemory allocate(long bytes) {
        DeviceMemory memory = DeviceMemory.allocate(device, bytes);
        memories.add(memory);
        if (REAL) {
            stream.fill(memory, (byte) 0xff);
        }
        return memory;
    }

    DeviceMemory upload(float... values) {
        return upload(MemorySegment.ofArray(values), 4);
    }

    DeviceMemory upload(int... values) {
        return upload(MemorySegment.ofArray(values), 4);
    }

    DeviceMemory upload(long... values) {
        return upload(MemorySegment.ofArray(values), 8);
    }

    DeviceMemory upload(byte... values) {
        return upload(MemorySegment.ofArray(values), 1);
    }

    /** bf16 or fp16 as their bits. */
    DeviceMemory upload(short... values) {
        return upload(MemorySegment.ofArray(values), 2);
    }

    /** Floats rounded to bf16. */
    DeviceMemory uploadBf16(float... values) {
        return upload(bf16(values));
    }

    /** Floats rounded to fp16. */
    DeviceMemory uploadFp16(float... values) {
        short[] bits = new short[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToFloat16(values[i]);
        }
        return upload(bits);
    }

    private DeviceMemory upload(MemorySegment heap, int elementBytes) {
        DeviceMemory memory = allocate(Math.max(heap.byteSize(), elementBytes));
        try (Arena arena = Arena.ofConfined()) {
            stream.copy(arena.allocate(heap.byteSize(), 16).copyFrom(heap), memory);
        }
        return memory;
    }

    float[] floats(DeviceMemory memory) {
        try (Arena arena = Arena.ofConfined()) {
            return download(memory, arena).toArray(JAVA_FLOAT);
        }
    }

    int[] ints(DeviceMemory memory) {
        try (Arena arena = Arena.ofConfined()) {
            return download(memory, arena).toArray(JAVA_INT);
        }
    }

    byte[] bytes(DeviceMemory memory) {
        try (Arena arena = Arena.ofConfined()) {
            return download(memory, arena).toArray(JAVA_BYTE);
        }
    }

    /** bf16 numbers as floats. */
    float[] bf16s(DeviceMemory memory) {
        try (Arena arena = Arena.ofConfined()) {
            short[] bits = download(memory, arena).toArray(JAVA_SHORT);
            float[] values = new float[bits.length];
            for (int i = 0; i < bits.length; i++) {
                values[i] = Float.intBitsToFloat(bits[i] << 16);
            }
            return values;
        }
    }

    /** fp16 numbers as floats. */
    float[] fp16s(DeviceMemory memory) {
        try (Arena arena = Arena.ofConfined()) {
            short[] bits = download(memory, arena).toArray(JAVA_SHORT);
            float[] values = new float[bits.length];
            for (int i = 0; i < bits.length; i++) {
                values[i] = Float.float16ToFloat(bits[i]);
            }
            return values;
        }
    }

    private MemorySegment download(DeviceMemory memory, Arena arena) {
        MemorySegment segment = arena.allocate(memory.bytes(), 16);
        stream.copy(memory, segment);
        return segment;
    }

    static short[] bf16(float... values) {
        short[] bits = new short[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = bf16(values[i]);
        }
        return bits;
    }

    /** Rounded to nearest even, as the kernels do. */
    static short bf16(float value) {
        int bits = Float.floatToIntBits(value);
        return Float.isNaN(value) ? 0x7fff : (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** The float that bf16 makes of a float. */
    static float rounded(float value) {
        return Float.intBitsToFloat(bf16(value) << 16);
    }

    /**
     * Launches a kernel and waits for it.
     *
     * @param grid blocks in x, y and z
     * @param arguments DeviceMemory, Integer, Float, Long (an address) or null, as the kernel's parameters
     * @throws CudaException saying what the kernel did wrong
     */
    void launch(String name, int[] grid, int threads, int sharedBytes, Object... arguments) {
        Kernel kernel = byName.computeIfAbsent(name, kernels::kernel);
        for (Object argument : arguments) {
            switch (argument) {
                case null -> kernel.pointer(0);
                case DeviceMemory memory -> kernel.pointer(memory);
                case Long address -> kernel.pointer(address);
                case Integer value -> kernel.integer(value);
                case Float value -> kernel.real(value);
                default -> throw new IllegalArgumentException("not an argument of a kernel: " + argument);
            }
        }
        kernel.launch(
                stream, grid[0], grid.length > 1 ? grid[1] : 1, grid.length > 2 ? grid[2] : 1, threads, sharedBytes);
        stream.synchronize();
    }

    void launch(String name, int blocks, int threads, int sharedBytes, Object... arguments) {
        launch(name, new int[] {blocks}, threads, sharedBytes, arguments);
    }

    @Override
    public void close() {
        memories.forEach(DeviceMemory::close);
        kernels.close();
        stream.close();
        device.close();
    }

    private static synchronized Path library() {
        Path main = MODULE.resolve("src/main/cuda");
        Path test = MODULE.resolve("src/test/cuda");
        try (java.util.stream.Stream<Path> sources =
                java.util.stream.Stream.concat(Files.walk(main), Files.walk(test))) {
            List<Path> files = sources.filter(Files::isRegularFile).sorted().toList();
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files) {
                digest.update(file.toString().getBytes(StandardCharsets.UTF_8));
                digest.update(Files.readAllBytes(file));
            }
            String hash = HexFormat.of().formatHex(digest.digest()).substring(0, 16);
            Path library = MODULE.resolve("target/play/libplayed-" + hash + ".so");
            if (!Files.exists(library)) {
                compile(main, test, library);
            }
            return library;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static void compile(Path main, Path test, Path library) throws IOException {
        boolean linux = System.getProperty("os.name").equals("Linux");
        Assumptions.assumeTrue(linux, "skipped: the played GPU runs on Linux only");
        boolean compiler = false;
        for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            compiler |= Files.isExecutable(Path.of(folder, "g++"));
        }
        Assumptions.assumeTrue(compiler, "skipped: the played GPU is compiled by g++, which is not on the PATH");
        Path folder = Files.createDirectories(library.getParent());
        Path work = Files.createTempDirectory(folder, "build");
        String common =
                "-std=c++17 -O2 -g1 -fPIC -fno-strict-aliasing -ffp-contract=off -fvisibility=hidden -U_FORTIFY_SOURCE"
                        + " -Wno-unknown-pragmas -DOSSICLE_PLAYED -I" + main + " -I" + test + " -I"
                        + test.resolve("play");
        run(common + " -c " + test.resolve("play/play.cpp") + " -o " + work.resolve("play.o"));
        run(common + " -c " + test.resolve("play/driver.cpp") + " -o " + work.resolve("driver.o"));
        // Bad accesses of the kernels call functions of play.cpp.
        run(common + " -fsanitize=alignment,bounds,null -fno-sanitize-recover=all -c " + test.resolve("played.cpp")
                + " -o " + work.resolve("played.o"));
        Path made = work.resolve("played.so");
        run("-shared -o " + made + " " + work.resolve("play.o") + " " + work.resolve("driver.o") + " "
                + work.resolve("played.o") + " -lpthread");
        try {
            Files.move(made, library, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException e) {
            // Another process was faster.
        }
    }

    private static void run(String arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("g++"));
        command.addAll(List.of(arguments.split(" ")));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new AssertionError(String.join(" ", command) + "\n" + said);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
