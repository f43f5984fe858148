package dev.ossicle.tools.browser;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/**
 * Resolves names to public addresses only. It is asked for every connection, and its answer is what is connected to: neither
 * a redirect nor a name that changes its address gets past it.
 */
public final class AddressGuard implements DnsResolver {
    private final DnsResolver names;
    private final Predicate<InetSocketAddress> alsoAllowed;

    public AddressGuard() {
        this(SystemDefaultDnsResolver.INSTANCE, address -> false);
    }

    /**
     * With other names and with addresses that may be visited beside the public ones, for tests against a server of their own.
     */
    AddressGuard(DnsResolver names, Predicate<InetSocketAddress> alsoAllowed) {
        this.names = names;
        this.alsoAllowed = alsoAllowed;
    }

    @Override
    public List<InetSocketAddress> resolve(String host, int port) throws UnknownHostException {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (InetAddress address : names.resolve(host)) {
            InetSocketAddress place = new InetSocketAddress(address, port);
            if (!isPublic(address) && !alsoAllowed.test(place)) {
                throw new UnknownHostException(
                        host + " has an address that is not public; only public ones may be visited");
            }
            addresses.add(place);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new UnknownHostException(host + " is not visited any more"); // looking it up cannot be interrupted
        }
        return addresses;
    }

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
        return resolve(host, 0).stream().map(InetSocketAddress::getAddress).toArray(InetAddress[]::new);
    }

    @Override
    public String resolveCanonicalHostname(String host) {
        return host; // only asked for by Kerberos
    }

    static boolean isPublic(InetAddress address) {
        if (address.isLoopbackAddress()
                || address.isAnyLocalAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress()) {
            return false;
        }
        byte[] bytes = address.getAddress();
        return address instanceof Inet4Address ? isPublic4(bytes) : isPublic6(bytes);
    }

    /** RFC 6890's special ranges that the JDK does not know. */
    private static boolean isPublic4(byte[] bytes) {
        int a = bytes[0] & 0xFF;
        int b = bytes[1] & 0xFF;
        int c = bytes[2] & 0xFF;
        return !(a == 0
                || a == 10
                || a == 127
                || a >= 224
                || a == 100 && b >= 64 && b < 128 // carrier-grade NAT
                || a == 169 && b == 254
                || a == 172 && b >= 16 && b < 32
                || a == 192 && b == 168
                || a == 192 && b == 0 && (c == 0 || c == 2)
                || a == 192 && b == 88 && c == 99
                || a == 198 && (b == 18 || b == 19 || b == 51 && c == 100)
                || a == 203 && b == 0 && c == 113);
    }

    private static boolean isPublic6(byte[] bytes) {
        int first = (bytes[0] & 0xFF) << 8 | bytes[1] & 0xFF;
        int second = (bytes[2] & 0xFF) << 8 | bytes[3] & 0xFF;
        boolean global = (first & 0xE000) == 0x2000; // all that is given out
        boolean special = first == 0x2001 && (second < 0x200 || second == 0xDB8) // protocols, Teredo, documentation
                || first == 0x2002 && !isPublic4(Arrays.copyOfRange(bytes, 2, 6)) // 6to4
                || first == 0x3FFF && second < 0x1000;
        return global && !special;
    }
}
