"""The unified identity platform (OpenID Connect), and the way in while it is away."""

from competition_portal.variables.parsers import boolean, scopes, text, url
from competition_portal.variables.variable import Variable

# Whatever is empty is found by discovery at the first login (accounts/platform.py).
DISCOVERED = "；留空就从 issuer 的 /.well-known/openid-configuration 查到。"

VARIABLES = {
    "OIDC_OP_ISSUER": Variable(
        url,
        cure="写统一身份认证平台的 issuer，例如 https://id.example.cn。",
        meaning="统一身份认证平台的 issuer；账户属于它，以后不能更换",
        example="`https://id.example.cn`",
    ),
    "OIDC_RP_CLIENT_ID": Variable(
        text,
        cure="写平台分配给本系统的 client_id。",
        meaning="平台分配给本系统的 client_id",
        example="`competition-portal`",
    ),
    "OIDC_RP_CLIENT_SECRET": Variable(
        text,
        cure="写平台分配给本系统的 client_secret。",
        meaning="平台分配给本系统的 client_secret",
        example="（平台给的）",
    ),
    "OIDC_OP_AUTHORIZATION_ENDPOINT": Variable(
        url,
        default="",
        cure=f"写平台的 authorization_endpoint 地址{DISCOVERED}",
        meaning="平台的 authorization_endpoint",
        example="`https://id.example.cn/authorize`",
    ),
    "OIDC_OP_TOKEN_ENDPOINT": Variable(
        url,
        default="",
        cure=f"写平台的 token_endpoint 地址{DISCOVERED}",
        meaning="平台的 token_endpoint",
        example="`https://id.example.cn/token`",
    ),
    "OIDC_OP_USER_ENDPOINT": Variable(
        url,
        default="",
        cure=f"写平台的 userinfo_endpoint 地址{DISCOVERED}",
        meaning="平台的 userinfo_endpoint",
        example="`https://id.example.cn/userinfo`",
    ),
    "OIDC_OP_JWKS_ENDPOINT": Variable(
        url,
        default="",
        cure=f"写平台的 jwks_uri 地址{DISCOVERED}",
        meaning="平台的 jwks_uri",
        example="`https://id.example.cn/jwks`",
    ),
    "OIDC_OP_LOGOUT_ENDPOINT": Variable(
        url,
        default="",
        cure="写平台的 end_session_endpoint 地址；平台没有就留空，退出时只退出本系统。",
        meaning="平台的 end_session_endpoint；没有就只退出本系统；上面四项都写了时不会另去查找",
        example="`https://id.example.cn/logout`",
    ),
    "OIDC_RP_SCOPES": Variable(
        scopes,
        default="openid profile",
        cure="写平台要求的 scope，用空格隔开，必须含 openid。",
        meaning="平台要求的 scope，空格隔开，必须含 openid",
        example="`openid profile`",
    ),
    "EMERGENCY_LOGIN": Variable(
        boolean,
        default=False,
        cure="写 true 或 false；只在平台不能用、需要应急账户时设为 true。",
        meaning="打开应急登录（`/accounts/emergency/`），见[应急登录](accounts.md#应急登录)",
        example="`false`",
    ),
}
